#include "cli/quantities.h"

#include <gtest/gtest.h>

#include <limits>

namespace weir::cli {
namespace {

TEST(Quantities, digits_stand_in_groups_of_three) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'000), "1,000");
  EXPECT_EQ(grouped(12'345'678), "12,345,678");
}

TEST(Quantities, small_rates_have_a_tenth) {
  EXPECT_EQ(per_second(0), "0/s");
  EXPECT_EQ(per_second(0.25), "0.2/s");
  EXPECT_EQ(per_second(12'345.6), "12,346/s");
  EXPECT_EQ(per_second(-1), "0/s");
}

TEST(Quantities, bytes_have_the_unit_that_fits) {
  EXPECT_EQ(bytes_text(512), "512 B");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(3.0 * (1U << 30)), "3.0 GiB");
}

TEST(Quantities, seconds_have_at_most_two_units) {
  EXPECT_EQ(seconds_text(0.44), "0.4 s");
  EXPECT_EQ(seconds_text(12.3), "12 s");
  EXPECT_EQ(seconds_text(200), "3 min 20 s");
  EXPECT_EQ(seconds_text(7'500), "2 h 5 min");
  EXPECT_EQ(seconds_text(273'600), "3 d 4 h");
  EXPECT_EQ(seconds_text(std::numeric_limits<double>::infinity()), "never");
  EXPECT_EQ(seconds_or_dash(std::nullopt), "–");
}

}  // namespace
}  // namespace weir::cli
