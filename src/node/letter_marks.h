// What it is: which dead letters this shard's queues have taken whose source has not settled them yet: should the source
// send one again, because the node stopped in between, it is known. A restart finds them in the journal: what is before
// the oldest of them must stay in what a start reads.
// Shard: its own.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "base/ids.h"
#include "broker/message_extras.h"

namespace weir::node {

class LetterMarks {
 public:
  // `lsn`: of the journal, before the letter's record.
  void add(const broker::LetterOrigin& origin, QueueId taken_by, Lsn lsn, std::uint64_t now_ms) {
    Mark& mark = marks_[origin];
    mark.taken_by.insert(taken_by);
    if (mark.number != 0) return;
    mark.number = ++last_number_;
    by_age_.emplace(mark.number, Age{lsn, now_ms});
  }
  bool has(const broker::LetterOrigin& origin, QueueId queue) const {
    const auto at = marks_.find(origin);
    return at != marks_.end() && at->second.taken_by.contains(queue);
  }
  // Their sources have settled them for good.
  void remove(std::span<const broker::LetterOrigin> origins) {
    for (const broker::LetterOrigin& origin : origins) {
      if (const auto at = marks_.find(origin); at != marks_.end()) remove(at);
    }
  }
  void remove_source(QueueId queue) {
    auto at = marks_.lower_bound({queue, Seq{0}});
    while (at != marks_.end() && at->first.queue == queue) at = remove(at);
  }
  std::vector<broker::LetterOrigin> origins() const {
    std::vector<broker::LetterOrigin> all;
    for (const auto& [origin, mark] : marks_) all.push_back(origin);
    return all;
  }
  // A letter whose source waits for others that don't take it can't hold the journal for ever: `patience_ms`.
  Lsn oldest(std::uint64_t now_ms) {
    while (!by_age_.empty() && by_age_.begin()->second.made_ms + patience_ms < now_ms) {
      by_age_.erase(by_age_.begin());
    }
    return by_age_.empty() ? Lsn{UINT64_MAX} : by_age_.begin()->second.lsn;
  }
  std::size_t size() const { return marks_.size(); }

 private:
  static constexpr std::uint64_t patience_ms = 30'000;
  struct Mark {
    std::set<QueueId> taken_by;
    std::uint64_t number = 0;
  };
  struct Age {
    Lsn lsn;
    std::uint64_t made_ms = 0;
  };
  using Marks = std::map<broker::LetterOrigin, Mark>;
  Marks::iterator remove(Marks::iterator at) {
    by_age_.erase(at->second.number);
    return marks_.erase(at);
  }

  Marks marks_;
  std::map<std::uint64_t, Age> by_age_;  // by number
  std::uint64_t last_number_ = 0;
};

}  // namespace weir::node
