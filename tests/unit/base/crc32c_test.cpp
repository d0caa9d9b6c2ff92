#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace weir {
namespace {

// Bit by bit, from the polynomial: slow and obviously right.
std::uint32_t reference_crc32c(Bytes bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
  }
  return ~crc;
}

std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 131 + (i >> 8));
  return bytes;
}

TEST(Crc32c, has_the_check_value_of_the_castagnoli_polynomial) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U);
}

TEST(Crc32c, of_nothing_is_zero) { EXPECT_EQ(crc32c({}), 0U); }

// RFC 3720, appendix B.4.
TEST(Crc32c, agrees_with_the_vectors_of_rfc_3720) {
  std::vector<std::byte> bytes(32, std::byte{0});
  EXPECT_EQ(crc32c(bytes), 0x8a9136aaU);
  bytes.assign(32, std::byte{0xff});
  EXPECT_EQ(crc32c(bytes), 0x62a8ab43U);
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(i);
  EXPECT_EQ(crc32c(bytes), 0x46dd794eU);
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(31 - i);
  EXPECT_EQ(crc32c(bytes), 0x113fdb5cU);
}

TEST(Crc32c, agrees_with_a_bitwise_reference_at_every_short_size_and_at_long_ones) {
  for (std::size_t size = 0; size <= 300; ++size) {
    const auto bytes = pattern(size);
    ASSERT_EQ(crc32c(bytes), reference_crc32c(bytes)) << size;
  }
  const auto bytes = pattern(100'003);
  EXPECT_EQ(crc32c(bytes), reference_crc32c(bytes));
}

TEST(Crc32c, does_not_depend_on_where_the_bytes_are_aligned) {
  const auto bytes = pattern(257);
  const std::uint32_t expected = crc32c(bytes);
  std::vector<std::byte> shifted(bytes.size() + 16);
  for (std::size_t offset = 0; offset < 16; ++offset) {
    std::memcpy(shifted.data() + offset, bytes.data(), bytes.size());
    ASSERT_EQ(crc32c(Bytes(shifted).subspan(offset, bytes.size())), expected) << offset;
  }
}

TEST(Crc32c, goes_on_over_pieces_when_the_last_result_is_the_seed) {
  const auto bytes = pattern(200);
  const std::uint32_t whole = crc32c(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const std::uint32_t first = crc32c(Bytes(bytes).first(cut));
    ASSERT_EQ(crc32c(Bytes(bytes).subspan(cut), first), whole) << cut;
  }
}

TEST(Crc32c, sees_every_flipped_bit) {
  auto bytes = pattern(64);
  const std::uint32_t whole = crc32c(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const auto mask = static_cast<std::byte>(1U << (bit % 8));
    bytes[bit / 8] ^= mask;
    ASSERT_NE(crc32c(bytes), whole) << bit;
    bytes[bit / 8] ^= mask;
  }
}

}  // namespace
}  // namespace weir
