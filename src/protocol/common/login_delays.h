// What it is: how long logins wait where others have failed, so that guessing passwords is slow: by client address and user.
// The first failures are free; then each doubles the wait, up to a bound. A login that is right, or a while without one,
// ends it. What it remembers is bounded.
// Shard: one per shard; an attacker whose connections are spread over shards has the free ones on each.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace weir {

class LoginDelays {
 public:
  static constexpr unsigned free_failures = 3;
  static constexpr std::uint64_t first_delay_ms = 250;
  static constexpr std::uint64_t delay_ms_max = 4'000;  // within the time that a handshake may take
  static constexpr std::uint64_t forget_after_ms = 60'000;
  static constexpr std::size_t entries_max = 4'096;

  // What a login of now has to wait before it is looked at.
  std::uint64_t delay_ms(std::string_view address, std::string_view user, std::uint64_t now_ms) const {
    const auto at = entries_.find(key_of(address, user));
    if (at == entries_.end() || at->second.last_ms + forget_after_ms <= now_ms) return 0;
    const unsigned failures = at->second.failures;
    if (failures <= free_failures) return 0;
    const unsigned doublings = std::min(failures - free_failures - 1, 8U);
    return std::min(first_delay_ms << doublings, delay_ms_max);
  }
  void note(std::string_view address, std::string_view user, bool right, std::uint64_t now_ms) {
    const std::size_t key = key_of(address, user);
    if (right) {
      entries_.erase(key);
      return;
    }
    if (entries_.size() >= entries_max && !entries_.contains(key)) make_room(now_ms);
    Entry& entry = entries_[key];
    if (entry.last_ms + forget_after_ms <= now_ms) entry.failures = 0;
    ++entry.failures;
    entry.last_ms = now_ms;
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    unsigned failures = 0;
    std::uint64_t last_ms = 0;
  };
  // Two that share a key only wait for each other.
  static std::size_t key_of(std::string_view address, std::string_view user) {
    return std::hash<std::string>()(std::string(address) + '\0' + std::string(user));
  }
  // The oldest goes, and all that count no more.
  void make_room(std::uint64_t now_ms) {
    std::erase_if(entries_, [&](const auto& one) { return one.second.last_ms + forget_after_ms <= now_ms; });
    if (entries_.size() < entries_max) return;
    const auto older = [](const auto& a, const auto& b) { return a.second.last_ms < b.second.last_ms; };
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), older));
  }

  std::unordered_map<std::size_t, Entry> entries_;
};

}  // namespace weir
