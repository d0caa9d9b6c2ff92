// What it is: packets in tests, readable: hexadecimal digits, 'text' as it is, and s'text' with its length in front
// (a string of MQTT). Blanks are nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"

namespace weir::mqtt {

inline std::vector<std::byte> wire(std::string_view text) {
  std::vector<std::byte> out;
  const auto digit = [](char c) {
    WEIR_ASSERT((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
  };
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    const bool with_length = text[at] == 's';
    if (with_length) ++at;
    if (text[at] == '\'') {
      const std::size_t end = text.find('\'', at + 1);
      const std::string_view quoted = text.substr(at + 1, end - at - 1);
      if (with_length) {
        out.push_back(static_cast<std::byte>(quoted.size() >> 8U));
        out.push_back(static_cast<std::byte>(quoted.size()));
      }
      for (const char c : quoted) out.push_back(static_cast<std::byte>(c));
      at = end + 1;
      continue;
    }
    out.push_back(static_cast<std::byte>(digit(text[at]) << 4U | digit(text[at + 1])));
    at += 2;
  }
  return out;
}

// As the tests print bytes.
inline std::string hex(Bytes bytes) {
  std::string out;
  for (const std::byte byte : bytes) {
    constexpr char digits[] = "0123456789abcdef";
    out += digits[static_cast<unsigned>(byte) >> 4U];
    out += digits[static_cast<unsigned>(byte) & 15U];
  }
  return out;
}

}  // namespace weir::mqtt
