#include <gtest/gtest.h>

#include <array>

#include "base/clock.h"
#include "base/rng.h"

namespace weir {
namespace {

TEST(ManualClock, moves_only_by_hand_and_takes_wall_time_along) {
  ManualClock clock;
  const std::uint64_t wall_start_ms = clock.wall_ms();
  EXPECT_EQ(clock.monotonic_ns(), 0U);
  clock.advance_ms(5);
  clock.advance_ns(999'999);
  EXPECT_EQ(clock.monotonic_ns(), 5'999'999U);
  EXPECT_EQ(clock.wall_ms(), wall_start_ms + 5);
  clock.advance_ns(1);
  EXPECT_EQ(clock.wall_ms(), wall_start_ms + 6);
}

TEST(Rng, the_same_seed_gives_the_same_numbers_and_another_seed_others) {
  Rng first(1);
  Rng again(1);
  Rng other(2);
  int equal_to_other = 0;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t value = first.next();
    ASSERT_EQ(again.next(), value);
    if (other.next() == value) ++equal_to_other;
  }
  EXPECT_EQ(equal_to_other, 0);
}

TEST(Rng, below_stays_below_its_bound_and_reaches_every_value) {
  Rng rng(7);
  std::array<int, 10> seen{};
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t value = rng.below(10);
    ASSERT_LT(value, 10U);
    ++seen[value];
  }
  for (const int count : seen) EXPECT_GT(count, 800);
  EXPECT_EQ(rng.below(1), 0U);
}

TEST(Rng, chance_is_never_at_zero_and_always_at_one) {
  Rng rng(3);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_FALSE(rng.chance(0, 4));
    ASSERT_TRUE(rng.chance(4, 4));
  }
}

}  // namespace
}  // namespace weir
