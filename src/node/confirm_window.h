// What it is: which of a publisher's messages are safe. A message may go to queues on several shards; each shard tells up
// to where it has made its share safe, in order. What lies before the first message that some shard still owes is
// confirmed, whatever its kind: so one watermark per publisher is exact.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace weir::node {

class ConfirmWindow {
 public:
  explicit ConfirmWindow(std::uint16_t shards) : owed_(shards) {}

  // A publish was made; note_target() says to whom it went (nobody: it is safe at once).
  void note_published(std::uint64_t seq) { last_ = seq; }
  void note_target(ShardId shard, std::uint64_t seq) {
    auto& runs = owed_[shard.value];
    if (!runs.empty() && runs.back().second + 1 == seq) {
      runs.back().second = seq;
    } else {
      runs.emplace_back(seq, seq);
    }
  }
  void note_safe(ShardId shard, std::uint64_t up_to) {
    auto& runs = owed_[shard.value];
    while (!runs.empty() && runs.front().second <= up_to) runs.pop_front();
    if (!runs.empty() && runs.front().first <= up_to) runs.front().first = up_to + 1;
  }
  // All up to it are safe.
  std::uint64_t safe_up_to() const {
    std::uint64_t first_owed = last_ + 1;
    for (const auto& runs : owed_) {
      if (!runs.empty()) first_owed = std::min(first_owed, runs.front().first);
    }
    return first_owed - 1;
  }
  std::uint64_t told = 0;  // what the front-end knows

 private:
  std::vector<std::deque<std::pair<std::uint64_t, std::uint64_t>>> owed_;  // runs of seqs, per shard
  std::uint64_t last_ = 0;
};

}  // namespace weir::node
