// What it is: CRC32C (Castagnoli, RFC 3720 appendix B.4), hardware-accelerated.
// crc32c(as_bytes("123456789")) == 0xe3069283. To go on over several pieces, pass the last result as `seed`.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace weir {

std::uint32_t crc32c(Bytes bytes, std::uint32_t seed = 0);

}  // namespace weir
