#include "cli/sequence_tracker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/rng.h"

namespace weir::cli {
namespace {

TEST(SequenceTracker, everything_in_order_is_seen_once_and_nothing_is_missing) {
  SequenceTracker tracker;
  for (std::uint64_t seq = 0; seq < 1000; ++seq) ASSERT_EQ(tracker.observe(seq), Observed::first_time);
  EXPECT_EQ(tracker.received(), 1000U);
  EXPECT_EQ(tracker.missing(1000), 0U);
}

TEST(SequenceTracker, a_number_that_comes_again_is_a_duplicate_below_and_above_a_gap) {
  SequenceTracker tracker;
  for (const std::uint64_t seq : {0, 1, 2, 5, 6}) ASSERT_EQ(tracker.observe(seq), Observed::first_time);
  EXPECT_EQ(tracker.observe(1), Observed::duplicate);
  EXPECT_EQ(tracker.observe(5), Observed::duplicate);
  EXPECT_EQ(tracker.received(), 5U);
}

TEST(SequenceTracker, gaps_and_a_missing_end_are_counted_as_missing) {
  SequenceTracker tracker;
  for (const std::uint64_t seq : {0, 1, 3, 4, 9}) static_cast<void>(tracker.observe(seq));
  EXPECT_EQ(tracker.missing(10), 5U);  // 2, 5, 6, 7, 8
  EXPECT_EQ(tracker.missing(12), 7U);  // and 10, 11
  EXPECT_EQ(tracker.missing(3), 1U);   // 2
}

TEST(SequenceTracker, any_order_within_a_wide_window_fills_up_to_the_end) {
  Rng rng(7);
  SequenceTracker tracker;
  constexpr std::uint64_t total = 200'000;
  constexpr std::uint64_t window = 10'000;
  std::vector<std::uint64_t> numbers(total);
  std::iota(numbers.begin(), numbers.end(), std::uint64_t{0});
  for (std::uint64_t at = 0; at + window <= total; at += window) {
    for (std::uint64_t i = window - 1; i > 0; --i) std::swap(numbers[at + i], numbers[at + rng.below(i + 1)]);
  }
  for (const std::uint64_t seq : numbers) ASSERT_EQ(tracker.observe(seq), Observed::first_time);
  EXPECT_EQ(tracker.next(), total);
  EXPECT_EQ(tracker.missing(total), 0U);
  for (const std::uint64_t seq : numbers) ASSERT_EQ(tracker.observe(seq), Observed::duplicate);
}

TEST(SequenceTracker, one_lost_message_is_missing_after_many_thousands_came_behind_it) {
  SequenceTracker tracker;
  for (std::uint64_t seq = 0; seq < 300'000; ++seq) {
    if (seq == 77) continue;
    ASSERT_EQ(tracker.observe(seq), Observed::first_time);
  }
  EXPECT_EQ(tracker.missing(300'000), 1U);
  EXPECT_EQ(tracker.observe(77), Observed::first_time);
  EXPECT_EQ(tracker.missing(300'000), 0U);
  EXPECT_EQ(tracker.next(), 300'000U);
}

TEST(SequenceTracker, a_number_from_nowhere_is_absurd_and_costs_no_memory) {
  SequenceTracker tracker;
  EXPECT_EQ(tracker.observe(SequenceTracker::ahead_max + 1), Observed::absurd);
  EXPECT_EQ(tracker.received(), 0U);
}

}  // namespace
}  // namespace weir::cli
