// What it is: the histories of many things of a kind, in bounded memory: what moves has one; when there is no more room, one goes
// that has not moved for long. What never moves costs nothing.
// Shard: who owns it. What find() gives may go to another thread: it does not change any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <span>

#include "admin/history.h"

namespace weir::admin {

template <typename Key>
class Histories {
 public:
  Histories(std::size_t series, std::size_t bytes_max) : series_(series), bytes_max_(bytes_max) {}

  void add(const Key& key, std::uint64_t at_ms, std::span<const std::uint64_t> values) {
    const auto [at, made] = all_.try_emplace(key);
    Entry& entry = at->second;
    const std::size_t before_bytes = made ? 0 : bytes_of(*entry.history);
    if (made) {
      entry.history = std::make_shared<History>(series_);
    } else if (entry.lent) {
      entry.history = std::make_shared<History>(*entry.history);
    }
    entry.lent = false;
    entry.history->add(at_ms, values);
    bytes_ = bytes_ - before_bytes + bytes_of(*entry.history);
    if (bytes_ > bytes_max_) forget_quiet();
  }

  // Null: there is none.
  std::shared_ptr<const History> find(const Key& key) const {
    const auto found = all_.find(key);
    if (found == all_.end()) return nullptr;
    found->second.lent = true;
    return found->second.history;
  }

  // Looks at the next ones, each of which is seen once in a round, and drops those that are gone.
  template <typename Gone>
  void sweep(std::size_t some, Gone&& gone) {
    auto at = all_.lower_bound(swept_);
    for (; some > 0 && at != all_.end(); --some) at = gone(at->first) ? erase(at) : std::next(at);
    swept_ = at == all_.end() ? Key{} : at->first;
  }

  std::size_t count() const { return all_.size(); }
  std::size_t memory_bytes() const { return bytes_; }

 private:
  struct Entry {
    std::shared_ptr<History> history;
    mutable bool lent = false;  // somebody else reads it: what comes is added to a copy
  };
  using All = std::map<Key, Entry>;

  static std::size_t bytes_of(const History& history) {
    constexpr std::size_t node_bytes = sizeof(typename All::value_type) + 64;
    return history.memory_bytes() + node_bytes;
  }
  typename All::iterator erase(typename All::iterator at) {
    bytes_ -= bytes_of(*at->second.history);
    return all_.erase(at);
  }
  // Of the next ones, that which has not moved for longest, until there is room: to look at all would take too long.
  void forget_quiet() {
    constexpr std::size_t looked_at = 64;
    while (bytes_ > bytes_max_) {
      auto at = all_.lower_bound(hand_);
      if (at == all_.end()) at = all_.begin();
      auto quietest = at;
      for (std::size_t i = 0; i < looked_at && at != all_.end(); ++i, ++at) {
        if (at->second.history->latest_ms() < quietest->second.history->latest_ms()) quietest = at;
      }
      hand_ = at == all_.end() ? Key{} : at->first;
      erase(quietest);
    }
  }

  std::size_t series_, bytes_max_, bytes_ = 0;
  All all_;
  Key swept_{}, hand_{};
};

}  // namespace weir::admin
