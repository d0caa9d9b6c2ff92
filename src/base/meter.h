// What it is: tells how fast counters grow now. It is given what they are every few seconds, and keeps the last two
// samples: a rate is the mean since the older one, so that it is over one to two intervals, and always up to this moment.
// Times are of a monotonic clock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/counters.h"

namespace weir {

// Between samples.
inline constexpr std::uint64_t meter_interval_ms = 5'000;

template <typename Kind>
class Meter {
 public:
  // What grew before `now_ms` does not count.
  void begin(const Counters<Kind>& now, std::uint64_t now_ms) {
    older_ = newer_ = now;
    older_ms_ = newer_ms_ = now_ms;
  }
  void sample(const Counters<Kind>& now, std::uint64_t now_ms) {
    older_ = newer_;
    older_ms_ = newer_ms_;
    newer_ = now;
    newer_ms_ = now_ms;
  }
  // Nothing has grown for two samples.
  bool settled(const Counters<Kind>& now) const { return older_ == now && newer_ == now; }
  bool grew(const Counters<Kind>& now) const { return !(newer_ == now); }

  Rates<Kind> per_second(const Counters<Kind>& now, std::uint64_t now_ms) const {
    constexpr std::uint64_t least_ms = 1'000;  // of what has just begun, little is known
    const std::uint64_t since_ms = std::max(now_ms - std::min(now_ms, older_ms_), least_ms);
    Rates<Kind> rates;
    for (std::size_t i = 0; i < Counters<Kind>::size; ++i) {
      rates.at(i) = static_cast<double>(now.at(i) - older_.at(i)) * 1'000.0 / static_cast<double>(since_ms);
    }
    return rates;
  }

 private:
  Counters<Kind> older_, newer_;
  std::uint64_t older_ms_ = 0, newer_ms_ = 0;
};

}  // namespace weir
