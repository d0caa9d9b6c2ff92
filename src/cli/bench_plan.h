// What it is: who publishes where and who consumes from what in a run, worked out from the options before anything
// is connected.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/bench_options.h"

namespace weir::cli {

struct BenchLane {
  std::uint32_t producer = 0;
  std::uint32_t queue = 0;  // unless every queue gets every message
  std::string routing_key;
};

struct BenchPlan {
  std::vector<std::string> queues;  // names, all of one length
  std::string exchange;             // published to
  std::string exchange_type;        // empty: nothing to declare
  std::string binding_key;          // empty: each queue's own name
  bool broadcast = false;           // every queue gets every message
  std::vector<BenchLane> lanes;
  std::vector<std::vector<std::uint32_t>> lanes_of_producer;
  std::vector<std::vector<std::uint32_t>> queues_of_consumer;

  // How many times each message is delivered in all.
  std::uint64_t copies() const { return broadcast ? queues.size() : 1; }
  // Of so many messages in all, how many are each producer's and each lane's: producers share them evenly and serve
  // their lanes in turn.
  std::uint64_t messages_of_producer(std::uint32_t producer, std::uint64_t messages) const;
  std::uint64_t messages_of_lane(std::uint32_t lane, std::uint64_t messages) const;
  std::size_t tracker_count() const { return broadcast ? lanes.size() * queues.size() : lanes.size(); }
  // Which sequence tracker a message belongs to; lane and queue are in range.
  std::size_t tracker_of(std::uint32_t lane, std::uint32_t queue) const {
    return broadcast ? lane * queues.size() + queue : lane;
  }
  bool belongs(std::uint32_t lane, std::uint32_t queue) const {
    return lane < lanes.size() && (broadcast || lanes[lane].queue == queue);
  }
};

// Errors: config, for options that contradict each other.
Result<BenchPlan> make_plan(const BenchOptions& options);

}  // namespace weir::cli
