// What it is: views of bytes, and loads and stores of fixed-width integers in either byte order.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace weir {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <std::unsigned_integral T>
constexpr T byteswap_if(T value, bool swap) {
  if (!swap) return value;
  if constexpr (sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(value));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(value));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(value));
}

inline constexpr bool host_is_little = std::endian::native == std::endian::little;

// Network order ("be") is what protocols use; "le" is what our disk format uses.
template <std::unsigned_integral T>
T load_be(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return byteswap_if(value, host_is_little);
}
template <std::unsigned_integral T>
T load_le(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return byteswap_if(value, !host_is_little);
}
template <std::unsigned_integral T>
void store_be(std::byte* to, T value) {
  value = byteswap_if(value, host_is_little);
  std::memcpy(to, &value, sizeof value);
}
template <std::unsigned_integral T>
void store_le(std::byte* to, T value) {
  value = byteswap_if(value, !host_is_little);
  std::memcpy(to, &value, sizeof value);
}

constexpr std::size_t align_up(std::size_t value, std::size_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);  // alignment is a power of two
}

}  // namespace weir
