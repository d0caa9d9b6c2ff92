// What it is: how numbers were over the last day, at four resolutions: every 5 seconds for 10 minutes, every minute for an
// hour, every 10 minutes for eight hours, every half hour for a day. What stays the same is added once, so that what rarely
// moves takes little memory, and nothing takes more than memory_bytes_max().
// Shard: who owns it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weir::admin {

inline constexpr std::uint64_t history_interval_ms = 5'000;

// The moments that somebody asks for: from last_ms back to last_ms - age_ms, incr_ms apart.
struct SampleRange {
  std::uint64_t last_ms = 0;  // wall clock
  std::uint64_t age_ms = 0;
  std::uint64_t incr_ms = 1;

  std::size_t count() const { return static_cast<std::size_t>(age_ms / incr_ms) + 1; }
};

class History {
 public:
  // So many numbers at a time.
  explicit History(std::size_t series) : series_(series) {}

  // What they are now: about every history_interval_ms. Wall clock; a time that is not later than the last one is left out,
  // and so is what is known already.
  void add(std::uint64_t at_ms, std::span<const std::uint64_t> values);
  bool empty() const { return rings_[0].times.empty(); }
  std::uint64_t latest(std::size_t series) const;
  std::uint64_t latest_ms() const;  // 0: nothing is known

  // Adds what each moment had, newest first, to `sums` (range.count() of them). Before the first of all it was 0.
  void add_samples(std::size_t series, const SampleRange& range, std::span<std::uint64_t> sums) const;
  // How fast it grew, or shrank, per second, when it was last looked at before `now_ms`.
  double rate(std::size_t series, std::uint64_t now_ms) const;

  std::size_t memory_bytes() const;
  static constexpr std::size_t memory_bytes_max(std::size_t series);

 private:
  struct Resolution {
    std::uint64_t interval_ms;
    std::size_t samples;
  };
  static constexpr std::array<Resolution, 4> resolutions{
      {{history_interval_ms, 121}, {60'000, 61}, {600'000, 49}, {1'800'000, 49}}};

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
  void put(Ring& ring, std::size_t samples_max, std::uint64_t at_ms, std::span<const std::uint64_t> values);

  std::size_t series_;
  std::array<Ring, resolutions.size()> rings_;
};

constexpr std::size_t History::memory_bytes_max(std::size_t series) {
  std::size_t samples = 0;
  for (const Resolution& one : resolutions) samples += one.samples;
  return sizeof(History) + samples * (series + 1) * sizeof(std::uint64_t);
}

}  // namespace weir::admin
