// What it is: checks deliveries against what was sent: each message of a lane once, in order per consumer, from its
// own queue, of this run.
// Shard: the queues' consumers, and with them their trackers, are on one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/bench_plan.h"
#include "cli/bench_tally.h"
#include "cli/message_stamp.h"
#include "cli/sequence_tracker.h"

namespace weir::cli {

// Per tracker of a plan; shared by all consumers of a run, each entry used on its queue's thread only.
struct alignas(64) TrackedLane {
  SequenceTracker seen;
};

class DeliveryCheck {
 public:
  // `queues`: how many the consumer has. `run` is what the stamps say; 0: that of the first message. `trackers` has
  // plan.tracker_count() entries; it, the plan and the tally outlive this.
  DeliveryCheck(const BenchPlan& plan, std::size_t queues, std::uint64_t run, std::uint32_t size_bytes,
                std::vector<TrackedLane>& trackers, BenchTally& tally);

  // Takes the first bytes of a delivered body of the right size. Returns when it was sent; 0 if it does not say.
  std::uint64_t take(std::uint32_t queue, const std::byte* body, bool redelivered);

 private:
  // A consumer of one queue needs to know the lanes apart alone: there may be very many of those consumers.
  std::uint64_t& next_in_order(std::uint32_t lane, std::uint32_t queue) {
    return next_in_order_[one_queue_ ? lane : plan_.tracker_of(lane, queue)];
  }

  const BenchPlan& plan_;
  std::uint64_t run_;
  std::uint32_t size_bytes_;
  // A body without room for its lane: there is one lane per queue then, or nothing to check but the count.
  bool lane_is_sent_;
  bool checkable_;
  std::vector<std::uint32_t> only_lane_;  // of each queue, unless lane_is_sent_
  std::vector<TrackedLane>& trackers_;
  bool one_queue_;
  std::vector<std::uint64_t> next_in_order_;  // above all that this consumer has got
  BenchTally& tally_;
};

}  // namespace weir::cli
