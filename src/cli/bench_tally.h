// What it is: what one loop thread has measured and found wrong; merged with the others' when all have ended.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/latency_histogram.h"

namespace weir::cli {

struct BenchTally {
  LatencyHistogram confirm_latency;  // publish (or the time it was meant for) to confirm
  LatencyHistogram deliver_latency;  // the same to delivery
  LatencyHistogram lateness;         // --rate: intended to actual sending, the generator's own fault

  // Within the measured interval.
  std::uint64_t published = 0;
  std::uint64_t confirmed = 0;
  std::uint64_t consumed = 0;
  std::vector<std::uint64_t> confirmed_per_s;
  std::vector<std::uint64_t> consumed_per_s;
  std::uint64_t last_event_ns = 0;  // of all: ends the interval of a run by --messages

  // What makes a run fail.
  std::uint64_t refused = 0;       // basic.nack
  std::uint64_t returned = 0;      // basic.return
  std::uint64_t bad_confirms = 0;  // of nothing that was waiting
  std::uint64_t duplicates = 0;
  std::uint64_t reordered = 0;
  std::uint64_t misrouted = 0;  // a lane's message from another lane's queue
  std::uint64_t foreign = 0;    // of another run, or no stamp of ours
  std::uint64_t wrong_length = 0;
  std::uint64_t redelivered = 0;

  std::uint64_t faults() const {
    return refused + returned + bad_confirms + duplicates + reordered + misrouted + foreign + wrong_length;
  }
  void merge(const BenchTally& other);
};

// Counts `count` events into the second that has gone by since `begin_ns`.
void count_in_second(std::vector<std::uint64_t>& series, std::uint64_t begin_ns, std::uint64_t at_ns,
                     std::uint64_t count);

}  // namespace weir::cli
