#include "auth/base64url.h"

namespace weir::auth {

namespace {

constexpr unsigned no_digit = 64;

constexpr unsigned digit(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a') + 26;
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0') + 52;
  if (c == '-') return 62;
  if (c == '_') return 63;
  return no_digit;
}

}  // namespace

std::optional<std::vector<std::byte>> decode_base64url(std::string_view text) {
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  unsigned kept = 0, bits = 0;  // of digits that fill no byte yet
  for (const char c : text) {
    const unsigned value = digit(c);
    if (value == no_digit) return std::nullopt;
    kept = kept << 6 | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<std::byte>(kept >> bits & 0xffU));
    kept &= (1U << bits) - 1;
  }
  if (bits == 6 || kept != 0) return std::nullopt;
  return bytes;
}

}  // namespace weir::auth
