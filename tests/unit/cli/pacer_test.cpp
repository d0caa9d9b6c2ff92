#include "cli/pacer.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

constexpr std::uint64_t start = 5'000'000'000;

TEST(Pacer, messages_are_spread_evenly_at_a_moderate_rate) {
  const Pacer pacer(5000, start);
  for (std::uint64_t k = 0; k < 20'000; ++k) ASSERT_EQ(pacer.intended_ns(k), start + k * 200'000);
}

TEST(Pacer, at_a_high_rate_messages_share_instants_of_the_grain_and_the_mean_rate_holds) {
  const Pacer pacer(1'000'000, start);
  for (std::uint64_t k = 0; k < 5000; ++k) {
    ASSERT_EQ((pacer.intended_ns(k) - start) % Pacer::grain_ns, 0U);
    ASSERT_GE(pacer.intended_ns(k), start + k * 1000);
    ASSERT_LT(pacer.intended_ns(k), start + k * 1000 + Pacer::grain_ns);
  }
  EXPECT_EQ(pacer.due(start + 1'000'000'000), 1'000'001U);  // both ends
}

TEST(Pacer, due_counts_exactly_the_messages_whose_time_has_come) {
  for (const double rate : {0.5, 3.0, 777.0, 5000.0, 123'456.0}) {
    const Pacer pacer(rate, start);
    EXPECT_EQ(pacer.due(start - 1), 0U);
    for (std::uint64_t k = 1; k < 2000; ++k) {
      const std::uint64_t at = pacer.intended_ns(k);
      ASSERT_GT(pacer.due(at), k) << rate;
      ASSERT_LE(pacer.due(at - 1), k) << rate;
      ASSERT_GT(pacer.intended_ns(pacer.due(at)), at) << rate;
    }
  }
}

TEST(Pacer, a_stall_makes_all_that_was_meant_meanwhile_due_with_its_intended_times) {
  const Pacer pacer(1000, start);
  EXPECT_EQ(pacer.due(start), 1U);
  EXPECT_EQ(pacer.due(start + 500'000'000), 501U);
  EXPECT_EQ(pacer.intended_ns(1), start + 1'000'000);
}

}  // namespace
}  // namespace weir::cli
