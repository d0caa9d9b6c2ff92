#include "storage/repair_bits.h"

#include <gtest/gtest.h>

#include <string>

#include "base/crc32c.h"
#include "base/cursor.h"

namespace weir::storage {
namespace {

std::vector<std::byte> checked_file(std::size_t bytes) {
  std::vector<std::byte> file;
  Writer out(file);
  for (std::size_t i = 0; i < bytes; ++i) out.u8(static_cast<std::uint8_t>(i * 31 + i / 7));
  out.le(crc32c(file));
  return file;
}

TEST(RepairBits, any_one_wrong_bit_is_put_right) {
  const std::vector<std::byte> whole = checked_file(333);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::vector<std::byte> damaged = whole;
    damaged[bit / 8] ^= std::byte{1} << (bit % 8);
    ASSERT_TRUE(repair_one_bit(damaged)) << bit;
    ASSERT_EQ(damaged, whole) << bit;
  }
}

TEST(RepairBits, a_whole_file_and_one_with_two_wrong_bits_stay_as_they_are) {
  const std::vector<std::byte> whole = checked_file(333);
  std::vector<std::byte> file = whole;
  EXPECT_FALSE(repair_one_bit(file));
  EXPECT_EQ(file, whole);
  file[3] ^= std::byte{1};
  file[200] ^= std::byte{16};
  const std::vector<std::byte> damaged = file;
  EXPECT_FALSE(repair_one_bit(file));
  EXPECT_EQ(file, damaged);
}

TEST(RepairBits, the_seed_of_a_checksum_is_found) {
  const std::string text = "sixty bytes of a header, or of anything else that has a crc..";
  for (const std::uint32_t seed : {0U, 1U, 0xffff'ffffU, 0x1234'5678U, 0x8000'0001U})
    EXPECT_EQ(crc_seed(as_bytes(text), crc32c(as_bytes(text), seed)), seed);
}

}  // namespace
}  // namespace weir::storage
