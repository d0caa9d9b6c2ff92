// What it is: bounds-checked reading and growing writing of bytes, for codecs and disk formats.
// Errors: a Reader that is asked for more than it has goes bad, returns zeros and stays bad: check ok() once
// after a group of reads, before anything is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace weir {

class Reader {
 public:
  explicit Reader(Bytes bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return ok_; }
  bool at_end() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  const std::byte* position() const { return at_; }

  std::uint8_t u8() { return static_cast<std::uint8_t>(be<std::uint8_t>()); }
  template <std::unsigned_integral T>
  T be() {
    if (left() < sizeof(T)) return bad<T>();
    const T value = load_be<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  template <std::unsigned_integral T>
  T le() {
    if (left() < sizeof(T)) return bad<T>();
    const T value = load_le<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  Bytes bytes(std::size_t count) {
    if (left() < count) {
      ok_ = false;
      at_ = end_;
      return {};
    }
    const Bytes taken(at_, count);
    at_ += count;
    return taken;
  }
  // Seven bits a byte, the lowest first (LEB128).
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = u8();
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if ((byte & 0x80U) == 0) return shift < 63 || byte <= 1 ? value : bad<std::uint64_t>();
    }
    return bad<std::uint64_t>();
  }
  // u8 length, then that many bytes (AMQP shortstr).
  std::string_view text8() { return as_text(bytes(u8())); }
  // u32 network-order length, then that many bytes (AMQP longstr).
  Bytes bytes32_be() { return bytes(be<std::uint32_t>()); }

 private:
  template <typename T>
  T bad() {
    ok_ = false;
    at_ = end_;
    return T{};
  }
  const std::byte* at_;
  const std::byte* end_;
  bool ok_ = true;
};

// Appends to a vector that the caller owns and reuses: no allocation once it has grown.
class Writer {
 public:
  explicit Writer(std::vector<std::byte>& out) : out_(out) {}

  std::size_t size() const { return out_.size(); }
  void u8(std::uint8_t value) { out_.push_back(static_cast<std::byte>(value)); }
  template <std::unsigned_integral T>
  void be(T value) {
    store_be(extend(sizeof value), value);
  }
  template <std::unsigned_integral T>
  void le(T value) {
    store_le(extend(sizeof value), value);
  }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) u8(static_cast<std::uint8_t>(value | 0x80U));
    u8(static_cast<std::uint8_t>(value));
  }
  void bytes(Bytes value) {
    if (!value.empty()) std::memcpy(extend(value.size()), value.data(), value.size());
  }
  void text(std::string_view value) { bytes(as_bytes(value)); }
  // `value` is at most 255 bytes: the caller checked.
  void text8(std::string_view value) {
    u8(static_cast<std::uint8_t>(value.size()));
    text(value);
  }
  void bytes32_be(Bytes value) {
    be(static_cast<std::uint32_t>(value.size()));
    bytes(value);
  }
  void text32_be(std::string_view value) { bytes32_be(as_bytes(value)); }
  // Fills in a length that was not known when its place was written.
  template <std::unsigned_integral T>
  void patch_be(std::size_t at, T value) {
    store_be(out_.data() + at, value);
  }

 private:
  std::byte* extend(std::size_t count) {
    const std::size_t at = out_.size();
    out_.resize(at + count);
    return out_.data() + at;
  }
  std::vector<std::byte>& out_;
};

}  // namespace weir
