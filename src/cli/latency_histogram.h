// What it is: a histogram of durations in nanoseconds, with logarithmic buckets: 64 per factor of two, so that a
// percentile is at most 1.6 % off, from 1 ns to centuries, in 30 KiB.
// Shard: one per thread; merge() them at the end.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace weir::cli {

class LatencyHistogram {
 public:
  void record(std::uint64_t ns, std::uint64_t count = 1) {
    buckets_[index_of(ns)] += count;
    count_ += count;
    sum_ns_ += ns * count;
    if (ns > max_ns_) max_ns_ = ns;
    if (ns < min_ns_) min_ns_ = ns;
  }
  void merge(const LatencyHistogram& other);

  std::uint64_t count() const { return count_; }
  std::uint64_t max_ns() const { return max_ns_; }
  std::uint64_t min_ns() const { return count_ == 0 ? 0 : min_ns_; }
  double mean_ns() const {
    return count_ == 0 ? 0 : static_cast<double>(sum_ns_) / static_cast<double>(count_);
  }
  // The value below or at which `fraction` (0 to 1) of all records lie; 0 when there are none.
  std::uint64_t percentile_ns(double fraction) const;

 private:
  static constexpr unsigned sub_bits = 6;
  static constexpr std::uint64_t sub_count = 1U << sub_bits;
  static constexpr std::size_t bucket_count = (64 - sub_bits + 1) * sub_count;

  // Below 64 a bucket per value; above, the six bits after the leading one choose the bucket.
  static std::size_t index_of(std::uint64_t ns) {
    if (ns < sub_count) return ns;
    const unsigned shift = static_cast<unsigned>(std::bit_width(ns)) - 1 - sub_bits;
    return (shift + 1) * sub_count + ((ns >> shift) - sub_count);
  }
  static std::uint64_t middle_of(std::size_t index);

  std::array<std::uint64_t, bucket_count> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ns_ = 0;
  std::uint64_t max_ns_ = 0;
  std::uint64_t min_ns_ = UINT64_MAX;
};

}  // namespace weir::cli
