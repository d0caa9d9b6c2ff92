// What it is: which groups of a queue have a message out. Of a group one message at a time is out, or waits as the one that
// must go before the others; the others are set aside meanwhile.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "base/ids.h"

namespace weir::broker {

class GroupOrder {
 public:
  // May it go now? If not, it is set aside.
  bool admit(std::uint64_t group, Seq seq) {
    const auto at = groups_.find(group);
    if (at == groups_.end() || at->second.current == seq) return true;
    std::deque<Seq>& waiting = at->second.waiting;
    waiting.insert(std::upper_bound(waiting.begin(), waiting.end(), seq), seq);
    return false;
  }
  // It goes out: the group is its own until it is released.
  void lock(std::uint64_t group, Seq seq) { groups_[group].current = seq; }
  // It is done with. Returns the one of those set aside whose turn it is.
  std::optional<Seq> release(std::uint64_t group, Seq seq) {
    const auto at = groups_.find(group);
    if (at == groups_.end() || at->second.current != seq) return std::nullopt;
    if (at->second.waiting.empty()) {
      groups_.erase(at);
      return std::nullopt;
    }
    at->second.current = at->second.waiting.front();
    at->second.waiting.pop_front();
    return at->second.current;
  }
  std::size_t locked() const { return groups_.size(); }

 private:
  struct Group {
    Seq current;
    std::deque<Seq> waiting;
  };
  std::unordered_map<std::uint64_t, Group> groups_;
};

}  // namespace weir::broker
