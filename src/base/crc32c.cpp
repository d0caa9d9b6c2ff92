#include "base/crc32c.h"

#include <isa-l/crc.h>

namespace weir {

std::uint32_t crc32c(Bytes bytes, std::uint32_t seed) {
  // isa-l takes an int length: feed it in steps that fit. It starts from and returns the uninverted value.
  constexpr std::size_t step_max = 1U << 30;
  std::uint32_t crc = ~seed;
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  for (std::size_t left = bytes.size(); left > 0;) {
    const std::size_t step = left < step_max ? left : step_max;
    crc = crc32_iscsi(const_cast<unsigned char*>(at), static_cast<int>(step), crc);
    at += step;
    left -= step;
  }
  return ~crc;
}

}  // namespace weir
