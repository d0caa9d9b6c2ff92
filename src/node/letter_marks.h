// What it is: which dead letters this shard's queues have taken whose source has not settled them yet: should the source
// send one again, because the node stopped in between, it is known.
// Shard: its own.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "base/ids.h"
#include "broker/message_extras.h"

namespace weir::node {

class LetterMarks {
 public:
  void add(const broker::LetterOrigin& origin, QueueId taken_by) { marks_[origin].insert(taken_by); }
  bool has(const broker::LetterOrigin& origin, QueueId queue) const {
    const auto at = marks_.find(origin);
    return at != marks_.end() && at->second.contains(queue);
  }
  // Their sources have settled them for good.
  void remove(std::span<const broker::LetterOrigin> origins) {
    for (const broker::LetterOrigin& origin : origins) marks_.erase(origin);
  }
  void remove_source(QueueId queue) {
    const auto from = marks_.lower_bound({queue, Seq{0}});
    auto until = from;
    while (until != marks_.end() && until->first.queue == queue) ++until;
    marks_.erase(from, until);
  }
  std::vector<broker::LetterOrigin> origins() const {
    std::vector<broker::LetterOrigin> all;
    for (const auto& [origin, queues] : marks_) all.push_back(origin);
    return all;
  }
  std::size_t size() const { return marks_.size(); }

 private:
  std::map<broker::LetterOrigin, std::set<QueueId>> marks_;
};

}  // namespace weir::node
