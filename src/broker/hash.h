// What it is: the hash of names and keys in memory. Never on disk: it may change.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir::broker {

inline std::uint64_t hash_mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed = 0) {
  constexpr std::uint64_t first = 0x9e3779b97f4a7c15ULL, second = 0xd6e8feb86659fd93ULL;
  const auto load = [](const char* from, auto value) -> std::uint64_t {
    std::memcpy(&value, from, sizeof value);
    return value;
  };
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t state = seed ^ second, low = 0, high = 0;
  for (; left > 16; left -= 16, at += 16) {
    state = hash_mix(load(at, std::uint64_t{}) ^ first, load(at + 8, std::uint64_t{}) ^ state);
  }
  if (left >= 8) {
    low = load(at, std::uint64_t{});
    high = load(at + left - 8, std::uint64_t{});
  } else if (left >= 4) {
    low = load(at, std::uint32_t{});
    high = load(at + left - 4, std::uint32_t{});
  } else if (left > 0) {
    low = load(at, std::uint8_t{}) | load(at + left / 2, std::uint8_t{}) << 8 |
          load(at + left - 1, std::uint8_t{}) << 16;
  }
  return hash_mix(second ^ text.size(), hash_mix(low ^ first, high ^ state));
}

}  // namespace weir::broker
