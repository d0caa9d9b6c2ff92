// What it is: which message of a queue that is fair by a header goes next: the values of the header take turns, and of each
// the oldest message goes. Who has no message waiting has no turn.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>

#include "base/ids.h"
#include "broker/seq_line.h"

namespace weir::broker {

class FairOrder {
 public:
  void push(std::uint64_t key, Seq seq) {
    const auto [at, made] = lines_.try_emplace(key);
    if (made) turns_.push_back(key);
    at->second.push(seq);
  }
  bool empty() const { return turns_.empty(); }
  // Not of an empty one.
  Seq top() const { return lines_.at(turns_.front()).top(); }
  // It goes: then it is the next one's turn.
  void pop() {
    const std::uint64_t key = turns_.front();
    if (!drop()) return;
    turns_.pop_front();
    turns_.push_back(key);
  }
  // It went another way, which takes nobody's turn. False: it was the last of its line.
  bool drop() {
    const auto at = lines_.find(turns_.front());
    at->second.pop();
    if (!at->second.empty()) return true;
    lines_.erase(at);
    turns_.pop_front();
    return false;
  }

 private:
  std::unordered_map<std::uint64_t, SeqLine> lines_;  // none is empty
  std::deque<std::uint64_t> turns_;                   // their keys
};

}  // namespace weir::broker
