// What it is: the check of a UTF-8 encoded string of MQTT (1.5.4): well-formed, no surrogates, no U+0000. Control
// characters and non-characters are let through, as [MQTT-1.5.4-1] and -2 leave open.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir::mqtt {

namespace detail {
bool valid_utf8_slow(std::string_view text);
}

inline bool valid_utf8(std::string_view text) {
  constexpr std::uint64_t high_bits = 0x8080'8080'8080'8080U, ones = 0x0101'0101'0101'0101U;
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t odd = 0;  // a high bit is set where a byte is not ASCII, or is 0 (or next to one)
  for (; left >= sizeof odd; at += sizeof odd, left -= sizeof odd) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    odd |= word | ((word - ones) & ~word);
  }
  for (; left > 0; ++at, --left) {
    const auto byte = static_cast<unsigned char>(*at);
    odd |= byte == 0 ? 0x80U : byte;
  }
  return (odd & high_bits) == 0 || detail::valid_utf8_slow(text);
}

}  // namespace weir::mqtt
