// What it is: a prefetch that consumers of a session share, on the session's shard. Their queues may live on any shard, so
// what may still be delivered is lent: a shard that could deliver asks for credit, uses what it gets, and gives back at the
// end of its turn what it has no message for. Without free credit it waits here until something is settled.
// Shard: its session's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include "base/ids.h"

namespace weir::node {

class PrefetchPool {
 public:
  void set_limit(std::uint32_t limit) { limit_ = limit; }  // 0: none
  // Delivered and lent, together. Below 0 while a shard's word on what its consumers had before is on its way.
  void add_out(std::int64_t count) { out_ += count; }
  void ask(ShardId shard, std::uint32_t wanted) {
    const auto same = [shard](const Wish& wish) { return wish.shard == shard; };
    const auto found = std::find_if(wishes_.begin(), wishes_.end(), same);
    if (found != wishes_.end()) {
      found->wanted = wanted;
    } else {
      wishes_.push_back({shard, wanted});
    }
  }
  // Calls with (shard, credit), in the order in which they asked; each gets its share of what is free.
  template <typename Grant>
  void lend(Grant&& grant) {
    while (!wishes_.empty()) {
      std::int64_t free = INT64_MAX;
      if (limit_ != 0) free = std::int64_t{limit_} - out_;
      if (free <= 0) return;
      const Wish wish = wishes_.front();
      const std::int64_t share = std::max<std::int64_t>(1, free / static_cast<std::int64_t>(wishes_.size()));
      wishes_.pop_front();
      const auto credit = static_cast<std::uint32_t>(std::min<std::int64_t>(wish.wanted, share));
      out_ += credit;
      grant(wish.shard, credit);
    }
  }

 private:
  struct Wish {
    ShardId shard;
    std::uint32_t wanted = 0;
  };
  std::uint32_t limit_ = 0;
  std::int64_t out_ = 0;
  std::deque<Wish> wishes_;  // at most one of each shard
};

}  // namespace weir::node
