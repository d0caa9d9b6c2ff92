// What it is: the wall clock as deadlines need it: it never goes back. When the machine's clock is set back, it goes on at
// the pace of the monotonic one until the machine's has caught up; a jump ahead it follows.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace weir::node {

class SteadyWall {
 public:
  explicit SteadyWall(Clock& clock) : clock_(clock) { now_ms(); }
  std::uint64_t now_ms() {
    const std::uint64_t monotonic_ns = clock_.monotonic_ns(), wall_ms = clock_.wall_ms();
    const std::uint64_t steady_ms = base_ms_ + (monotonic_ns - base_ns_) / 1'000'000;
    if (wall_ms <= steady_ms) return steady_ms;
    base_ms_ = wall_ms;
    base_ns_ = monotonic_ns;
    return wall_ms;
  }

  std::uint64_t monotonic_ms() const { return clock_.monotonic_ns() / 1'000'000; }

 private:
  Clock& clock_;
  std::uint64_t base_ms_ = 0, base_ns_ = 0;
};

}  // namespace weir::node
