#include "app/log_budget.h"

#include <gtest/gtest.h>

namespace weir::app {
namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;

TEST(LogBudget, without_a_limit_nothing_is_left_out) {
  LogBudget budget(0);
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(budget.take(second_ns));
  EXPECT_EQ(budget.take_dropped(), 0U);
}

TEST(LogBudget, ten_seconds_worth_goes_at_once_and_then_so_many_a_second) {
  LogBudget budget(3);
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(budget.take(second_ns)) << i;
  EXPECT_FALSE(budget.take(second_ns));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.take(2 * second_ns)) << i;
  EXPECT_FALSE(budget.take(2 * second_ns));
}

TEST(LogBudget, what_was_left_out_is_told_once) {
  LogBudget budget(1);
  for (int i = 0; i < 25; ++i) budget.take(second_ns);
  EXPECT_EQ(budget.take_dropped(), 15U);
  EXPECT_EQ(budget.take_dropped(), 0U);
}

TEST(LogBudget, a_long_silence_saves_up_no_more_than_the_burst) {
  LogBudget budget(2);
  for (int i = 0; i < 20; ++i) budget.take(second_ns);
  std::uint64_t taken = 0;
  for (int i = 0; i < 100; ++i) taken += budget.take(1'000 * second_ns) ? 1 : 0;
  EXPECT_EQ(taken, 20U);
}

TEST(LogBudget, a_clock_that_goes_back_gives_nothing) {
  LogBudget budget(1);
  for (int i = 0; i < 10; ++i) budget.take(10 * second_ns);
  EXPECT_FALSE(budget.take(second_ns));
}

}  // namespace
}  // namespace weir::app
