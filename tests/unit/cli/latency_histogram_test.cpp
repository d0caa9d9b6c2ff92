#include "cli/latency_histogram.h"

#include <gtest/gtest.h>

#include <cmath>

namespace weir::cli {
namespace {

TEST(LatencyHistogram, an_empty_one_answers_zero) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.percentile_ns(0.99), 0U);
  EXPECT_EQ(histogram.min_ns(), 0U);
  EXPECT_EQ(histogram.max_ns(), 0U);
}

TEST(LatencyHistogram, a_single_value_is_off_by_less_than_two_percent_at_every_magnitude) {
  for (double value = 1; value < 1e18; value *= 1.37) {
    LatencyHistogram histogram;
    const auto ns = static_cast<std::uint64_t>(value);
    // A second, far larger one, so that the answer can't come from the maximum.
    histogram.record(ns);
    histogram.record(UINT64_MAX / 2);
    const auto got = static_cast<double>(histogram.percentile_ns(0.5));
    EXPECT_LE(std::abs(got - static_cast<double>(ns)) / static_cast<double>(ns), 0.02) << ns;
  }
}

TEST(LatencyHistogram, percentiles_of_a_uniform_spread_lie_where_they_should) {
  LatencyHistogram histogram;
  for (std::uint64_t ns = 1; ns <= 100'000; ++ns) histogram.record(ns);
  EXPECT_NEAR(static_cast<double>(histogram.percentile_ns(0.5)), 50'000, 1000);
  EXPECT_NEAR(static_cast<double>(histogram.percentile_ns(0.9)), 90'000, 1800);
  EXPECT_NEAR(static_cast<double>(histogram.percentile_ns(0.99)), 99'000, 1980);
  EXPECT_EQ(histogram.percentile_ns(1), 100'000U);
  EXPECT_EQ(histogram.max_ns(), 100'000U);
  EXPECT_EQ(histogram.min_ns(), 1U);
}

TEST(LatencyHistogram, a_count_weighs_like_so_many_single_records) {
  LatencyHistogram histogram;
  histogram.record(10, 99);
  histogram.record(5000);
  EXPECT_EQ(histogram.count(), 100U);
  EXPECT_EQ(histogram.percentile_ns(0.99), 10U);
  EXPECT_GT(histogram.percentile_ns(0.995), 4900U);
  EXPECT_DOUBLE_EQ(histogram.mean_ns(), (10.0 * 99 + 5000) / 100);
}

TEST(LatencyHistogram, merging_gives_what_recording_into_one_would_have_given) {
  LatencyHistogram first;
  LatencyHistogram second;
  LatencyHistogram both;
  for (std::uint64_t ns = 100; ns < 10'000; ns += 7) {
    (ns % 3 == 0 ? first : second).record(ns);
    both.record(ns);
  }
  first.merge(second);
  EXPECT_EQ(first.count(), both.count());
  EXPECT_EQ(first.min_ns(), both.min_ns());
  EXPECT_EQ(first.max_ns(), both.max_ns());
  for (const double fraction : {0.1, 0.5, 0.9, 0.99}) {
    EXPECT_EQ(first.percentile_ns(fraction), both.percentile_ns(fraction));
  }
}

TEST(LatencyHistogram, the_largest_value_that_exists_has_a_bucket) {
  LatencyHistogram histogram;
  histogram.record(UINT64_MAX);
  EXPECT_EQ(histogram.max_ns(), UINT64_MAX);
  EXPECT_EQ(histogram.percentile_ns(0.5), UINT64_MAX);
}

}  // namespace
}  // namespace weir::cli
