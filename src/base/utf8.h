// What it is: checks that bytes are well-formed UTF-8 (RFC 3629): no overlong forms, surrogates or values past U+10FFFF.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bytes.h"

namespace weir {

// Of text that comes in pieces, cut anywhere.
class Utf8Check {
 public:
  // False, and ever after: there is something that no text has.
  bool take(Bytes piece);
  // Nothing is missing of the last character.
  bool whole() const { return good_ && left_ == 0; }

 private:
  std::uint8_t left_ = 0;                  // bytes that the character lacks
  std::uint8_t low_ = 0x80, high_ = 0xBF;  // bounds of the next of them
  bool good_ = true;
};

namespace detail {
bool valid_utf8_slow(std::string_view text);
}

inline bool valid_utf8(std::string_view text) {
  constexpr std::uint64_t high_bits = 0x8080'8080'8080'8080U;
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t seen = 0;
  for (; left >= sizeof seen; at += sizeof seen, left -= sizeof seen) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    seen |= word;
  }
  for (; left > 0; ++at, --left) seen |= static_cast<unsigned char>(*at);
  return (seen & high_bits) == 0 || detail::valid_utf8_slow(text);
}

}  // namespace weir
