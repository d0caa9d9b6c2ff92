// What it is: how numbers were over the last day, at three resolutions: every 5 seconds for 10 minutes, every minute for an
// hour, every 10 minutes for a day. A fixed amount of memory, whatever the numbers.
// Shard: who owns it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weir::admin {

inline constexpr std::uint64_t history_interval_ms = 5'000;

class History {
 public:
  // So many numbers at a time.
  explicit History(std::size_t series) : series_(series) {}

  struct Sample {
    std::uint64_t at_ms = 0;
    std::uint64_t value = 0;
  };

  // What they are now: about every history_interval_ms. Wall clock; a time that is not later than the last one is left out.
  void add(std::uint64_t at_ms, std::span<const std::uint64_t> values);
  bool empty() const { return rings_[0].times.empty(); }
  std::uint64_t latest(std::size_t series) const;

  // The last ones, newest first, `step_ms` apart, back to `age_ms`; each is what was known at its moment. At most
  // samples_max. From the finest resolution that reaches back far enough.
  static constexpr std::size_t samples_max = 1'024;
  std::vector<Sample> samples(std::size_t series, std::uint64_t age_ms, std::uint64_t step_ms) const;
  // How fast it grows, or shrinks, per second: over the last two samples.
  double rate(std::size_t series) const;

  std::size_t memory_bytes() const;

 private:
  struct Resolution {
    std::uint64_t interval_ms;
    std::size_t samples;
  };
  static constexpr std::array<Resolution, 3> resolutions{
      {{history_interval_ms, 121}, {60'000, 61}, {600'000, 145}}};

  struct Ring {
    std::vector<std::uint64_t> times;   // a ring once it is full
    std::vector<std::uint64_t> values;  // series_ for each time
    std::size_t next = 0;               // the oldest one, when it is full
  };
  // The index of the one that is `back` before the newest.
  static std::size_t index(const Ring& ring, std::size_t back) {
    const std::size_t size = ring.times.size();
    return (ring.next + size - 1 - back) % size;
  }
  const Ring& ring_for(std::uint64_t age_ms) const;

  std::size_t series_;
  std::array<Ring, resolutions.size()> rings_;
};

}  // namespace weir::admin
