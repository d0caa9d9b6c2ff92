#include "app/byte_size.h"

#include <gtest/gtest.h>

namespace weir::app {
namespace {

TEST(ByteSize, plain_numbers_and_units_are_read) {
  EXPECT_EQ(parse_bytes("0"), 0U);
  EXPECT_EQ(parse_bytes("4096"), 4096U);
  EXPECT_EQ(parse_bytes("64MiB"), 64U << 20);
  EXPECT_EQ(parse_bytes("64 MiB"), 64U << 20);
  EXPECT_EQ(parse_bytes("1GB"), 1'000'000'000U);
  EXPECT_EQ(parse_bytes("3kB"), 3000U);
  EXPECT_EQ(parse_bytes("7B"), 7U);
}

TEST(ByteSize, what_is_no_amount_is_refused) {
  for (const char* text : {"", "MiB", "-1", "1.5MiB", "12 parsecs", "64mib", "1 MiB extra", "0x10", " 1"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
}

TEST(ByteSize, what_does_not_fit_into_64_bits_is_refused) {
  EXPECT_EQ(parse_bytes("16777215TiB"), 16777215ULL << 40);
  EXPECT_FALSE(parse_bytes("16777216TiB"));
  EXPECT_FALSE(parse_bytes("18446744073709551616"));
}

TEST(ByteSize, whole_units_are_shown_as_such) {
  EXPECT_EQ(show_bytes(0), "0");
  EXPECT_EQ(show_bytes(1000), "1000");
  EXPECT_EQ(show_bytes(4096), "4 KiB");
  EXPECT_EQ(show_bytes(3U << 20), "3 MiB");
  EXPECT_EQ(show_bytes((3U << 20) + 1), "3145729");
}

}  // namespace
}  // namespace weir::app
