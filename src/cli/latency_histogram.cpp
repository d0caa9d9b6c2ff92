#include "cli/latency_histogram.h"

#include <algorithm>
#include <cmath>

namespace weir::cli {

void LatencyHistogram::merge(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < bucket_count; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ns_ += other.sum_ns_;
  max_ns_ = std::max(max_ns_, other.max_ns_);
  min_ns_ = std::min(min_ns_, other.min_ns_);
}

std::uint64_t LatencyHistogram::percentile_ns(double fraction) const {
  if (count_ == 0) return 0;
  const double wanted = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(count_));
  const std::uint64_t rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
  if (rank == count_) return max_ns_;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::clamp(middle_of(i), min_ns_, max_ns_);
  }
  return max_ns_;
}

std::uint64_t LatencyHistogram::middle_of(std::size_t index) {
  if (index < sub_count) return index;
  const auto shift = static_cast<unsigned>(index / sub_count - 1);
  const std::uint64_t low = (sub_count + index % sub_count) << shift;
  return low + ((std::uint64_t{1} << shift) >> 1);
}

}  // namespace weir::cli
