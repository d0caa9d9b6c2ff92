#include "storage/repair_bits.h"

#include <array>
#include <bit>

#include "base/crc32c.h"

namespace weir::storage {
namespace {

constexpr std::uint32_t polynomial = 0x82f6'3b78;  // CRC32C, reflected
constexpr std::size_t crc_bytes = 4;

// What a byte of the message that is `value` more changes in the checksum, as the last byte.
constexpr std::array<std::uint32_t, 256> make_effects() {
  std::array<std::uint32_t, 256> effects{};
  for (std::uint32_t value = 0; value < 256; ++value) {
    std::uint32_t effect = value;
    for (int bit = 0; bit < 8; ++bit) effect = effect >> 1 ^ ((effect & 1) != 0 ? polynomial : 0);
    effects[value] = effect;
  }
  return effects;
}
constexpr std::array<std::uint32_t, 256> effects = make_effects();

}  // namespace

bool repair_one_bit(std::vector<std::byte>& file) {
  if (file.size() <= crc_bytes || file.size() > one_bit_bytes_max) return false;
  const std::size_t covered = file.size() - crc_bytes;
  const std::uint32_t difference =
      crc32c(Bytes(file).first(covered)) ^ load_le<std::uint32_t>(file.data() + covered);
  if (difference == 0) return false;
  if (std::has_single_bit(difference)) {
    store_le(file.data() + covered, load_le<std::uint32_t>(file.data() + covered) ^ difference);
    return true;
  }
  std::array<std::uint32_t, 8> of_bit{};
  for (unsigned bit = 0; bit < 8; ++bit) of_bit[bit] = effects[1U << bit];
  for (std::size_t at = covered; at-- > 0;) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      if (of_bit[bit] == difference) {
        file[at] ^= std::byte{1} << bit;
        return true;
      }
      of_bit[bit] = of_bit[bit] >> 8 ^ effects[of_bit[bit] & 0xff];
    }
  }
  return false;
}

// The checksum depends on its seed linearly: 32 equations in 32 unknowns.
std::uint32_t crc_seed(Bytes bytes, std::uint32_t crc) {
  const std::uint32_t of_zero = crc32c(bytes, 0);
  struct Row {
    std::uint32_t value, seed;
  };
  std::array<Row, 32> basis{};  // by the highest bit of value
  for (unsigned bit = 0; bit < 32; ++bit) {
    Row row{crc32c(bytes, 1U << bit) ^ of_zero, 1U << bit};
    while (row.value != 0) {
      Row& at = basis[static_cast<unsigned>(std::bit_width(row.value)) - 1];
      if (at.value == 0) {
        at = row;
        break;
      }
      row = {row.value ^ at.value, row.seed ^ at.seed};
    }
  }
  Row wanted{crc ^ of_zero, 0};
  while (wanted.value != 0) {
    const Row& at = basis[static_cast<unsigned>(std::bit_width(wanted.value)) - 1];
    if (at.value == 0) return 0;  // can't be: the seeds' checksums are all different
    wanted = {wanted.value ^ at.value, wanted.seed ^ at.seed};
  }
  return wanted.seed;
}

}  // namespace weir::storage
