#include "base/bytes.h"

#include <gtest/gtest.h>

#include <array>

namespace weir {
namespace {

TEST(Bytes, network_order_puts_the_high_byte_first) {
  std::array<std::byte, 8> raw{};
  store_be<std::uint32_t>(raw.data(), 0x01020304);
  EXPECT_EQ(raw[0], std::byte{1});
  EXPECT_EQ(raw[3], std::byte{4});
  EXPECT_EQ(load_be<std::uint32_t>(raw.data()), 0x01020304U);
  EXPECT_EQ(load_le<std::uint32_t>(raw.data()), 0x04030201U);
}

TEST(Bytes, little_endian_puts_the_low_byte_first) {
  std::array<std::byte, 8> raw{};
  store_le<std::uint64_t>(raw.data(), 0x0102030405060708);
  EXPECT_EQ(raw[0], std::byte{8});
  EXPECT_EQ(raw[7], std::byte{1});
  EXPECT_EQ(load_le<std::uint64_t>(raw.data()), 0x0102030405060708U);
  EXPECT_EQ(load_be<std::uint64_t>(raw.data()), 0x0807060504030201U);
}

TEST(Bytes, integers_load_from_addresses_that_are_not_aligned) {
  std::array<std::byte, 16> raw{};
  for (std::size_t offset = 0; offset < 8; ++offset) {
    store_be<std::uint64_t>(raw.data() + offset, 0x1122334455667788);
    ASSERT_EQ(load_be<std::uint64_t>(raw.data() + offset), 0x1122334455667788U) << offset;
  }
}

TEST(Bytes, every_width_survives_the_round_trip_in_both_orders) {
  std::array<std::byte, 8> raw{};
  store_be<std::uint8_t>(raw.data(), 0xa5);
  EXPECT_EQ(load_le<std::uint8_t>(raw.data()), 0xa5);
  store_be<std::uint16_t>(raw.data(), 0xa55a);
  EXPECT_EQ(load_be<std::uint16_t>(raw.data()), 0xa55a);
  EXPECT_EQ(load_le<std::uint16_t>(raw.data()), 0x5aa5);
}

TEST(Bytes, text_and_bytes_view_the_same_memory) {
  const std::string_view text("weir\0x", 6);
  const Bytes bytes = as_bytes(text);
  EXPECT_EQ(bytes.size(), 6U);
  EXPECT_EQ(as_text(bytes), text);
  EXPECT_EQ(as_text(bytes).data(), text.data());
}

TEST(Bytes, align_up_goes_to_the_next_multiple_and_stays_on_one) {
  EXPECT_EQ(align_up(0, 4096), 0U);
  EXPECT_EQ(align_up(1, 4096), 4096U);
  EXPECT_EQ(align_up(4095, 4096), 4096U);
  EXPECT_EQ(align_up(4096, 4096), 4096U);
  EXPECT_EQ(align_up(4097, 4096), 8192U);
}

}  // namespace
}  // namespace weir
