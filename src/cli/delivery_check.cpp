#include "cli/delivery_check.h"

namespace weir::cli {

DeliveryCheck::DeliveryCheck(const BenchPlan& plan, std::size_t queues, std::uint64_t run,
                             std::uint32_t size_bytes, std::vector<TrackedLane>& trackers, BenchTally& tally)
    : plan_(plan),
      run_(run),
      size_bytes_(size_bytes),
      lane_is_sent_(size_bytes >= stamp_with_lane_bytes),
      checkable_(!plan.lanes.empty() && size_bytes > 0 &&
                 (lane_is_sent_ || plan.lanes.size() <= (plan.broadcast ? 1 : plan.queues.size()))),
      trackers_(trackers),
      one_queue_(queues == 1),
      next_in_order_(one_queue_ ? plan.lanes.size() : trackers.size()),
      tally_(tally) {
  if (lane_is_sent_) return;
  only_lane_.resize(plan.queues.size());
  for (std::uint32_t lane = 0; lane < plan.lanes.size() && !plan.broadcast; ++lane) {
    only_lane_[plan.lanes[lane].queue] = lane;
  }
}

std::uint64_t DeliveryCheck::take(std::uint32_t queue, const std::byte* body, bool redelivered) {
  if (redelivered) ++tally_.redelivered;
  if (!checkable_) return 0;
  std::uint64_t expected = 0;
  if (!lane_is_sent_) expected = next_in_order(only_lane_[queue], queue);
  MessageStamp stamp = read_stamp(body, size_bytes_, expected);
  if (!lane_is_sent_) stamp.lane = only_lane_[queue];
  if (run_ == 0) run_ = stamp.run;
  if ((size_bytes_ >= stamp_bytes && stamp.run != run_) || stamp.lane >= plan_.lanes.size()) {
    ++tally_.foreign;
    return 0;
  }
  if (!plan_.belongs(stamp.lane, queue)) {
    ++tally_.misrouted;
    return stamp.sent_ns;
  }
  const std::size_t tracker = plan_.tracker_of(stamp.lane, queue);
  switch (trackers_[tracker].seen.observe(stamp.seq)) {
    case Observed::first_time: break;
    case Observed::duplicate: ++tally_.duplicates; return 0;
    case Observed::absurd: ++tally_.foreign; return 0;
  }
  std::uint64_t& next = next_in_order(stamp.lane, queue);
  if (stamp.seq < next) {
    ++tally_.reordered;
  } else {
    next = stamp.seq + 1;
  }
  return stamp.sent_ns;
}

}  // namespace weir::cli
