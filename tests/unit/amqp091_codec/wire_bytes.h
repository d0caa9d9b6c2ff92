// What it is: bytes written down as hexadecimal text, for tests of the wire.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace weir::amqp091 {

// Blanks between the digits are skipped.
inline std::vector<std::byte> from_hex(std::string_view hex) {
  std::vector<std::byte> out;
  unsigned high = 16;
  for (const char c : hex) {
    if (c == ' ') continue;
    const unsigned digit = static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    if (high == 16) {
      high = digit;
    } else {
      out.push_back(static_cast<std::byte>(high << 4 | digit));
      high = 16;
    }
  }
  return out;
}

inline std::string to_hex(Bytes bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const std::byte byte : bytes) {
    out += digits[static_cast<unsigned>(byte) >> 4];
    out += digits[static_cast<unsigned>(byte) & 15];
  }
  return out;
}

// "I 00000005" and so on after a name: one entry of a field table.
inline std::string entry_hex(std::string_view name, std::string_view value_hex) {
  const std::byte size{static_cast<unsigned char>(name.size())};
  return to_hex({&size, 1}) + to_hex(as_bytes(name)) + std::string(value_hex);
}

// The type letter as hex: letter_hex('S') is "53".
inline std::string letter_hex(char letter) { return to_hex(as_bytes(std::string_view(&letter, 1))); }

// One copy that ends where the bytes end, so that AddressSanitizer sees each read past them.
inline std::vector<std::byte> exact(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace weir::amqp091
