// What it is: arithmetic of damaged checksums: the one bit that makes a file hold its checksum again, and the seed that a
// checksum was made with. Pure functions over bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace weir::storage {

// Beyond it a wrong bit that fits by chance is too likely (1 in 128 here).
inline constexpr std::size_t one_bit_bytes_max = 4U << 20;

// `file` ends with the CRC32C of all bytes before it. Changes the one bit that makes it hold; false if there is none.
bool repair_one_bit(std::vector<std::byte>& file);

// The seed with which crc32c(bytes, seed) is `crc`. There is always exactly one.
std::uint32_t crc_seed(Bytes bytes, std::uint32_t crc);

}  // namespace weir::storage
