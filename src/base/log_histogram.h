// What it is: how often values of which size came, by powers of two: bucket i holds what is at most 2^i and was too much
// for bucket i - 1. Adding costs a few instructions; histograms of several shards are added up.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace weir {

class LogHistogram {
 public:
  static constexpr std::size_t buckets = 40;  // the last one holds all that is larger, too

  void add(std::uint64_t value) {
    const auto width = static_cast<std::size_t>(value <= 1 ? 0 : std::bit_width(value - 1));
    ++counts_[std::min(width, buckets - 1)];
    sum_ += value;
  }
  std::uint64_t in_bucket(std::size_t bucket) const { return counts_[bucket]; }
  std::uint64_t sum() const { return sum_; }
  std::uint64_t count() const {
    std::uint64_t all = 0;
    for (const std::uint64_t one : counts_) all += one;
    return all;
  }

  LogHistogram& operator+=(const LogHistogram& other) {
    for (std::size_t i = 0; i < buckets; ++i) counts_[i] += other.counts_[i];
    sum_ += other.sum_;
    return *this;
  }

 private:
  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t sum_ = 0;
};

}  // namespace weir
