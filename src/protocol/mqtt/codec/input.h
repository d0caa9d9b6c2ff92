// What it is: reading of MQTT's data types (1.5) from bytes in memory, with bounds.
// Errors: an Input that is asked for what is not there goes bad, returns zeros and stays bad; fault() says why. That is
// always a malformed packet.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "protocol/mqtt/codec/utf8.h"

namespace weir::mqtt {

class Input {
 public:
  explicit Input(Bytes bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return fault_.empty(); }
  std::string_view fault() const { return fault_; }
  bool at_end() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  const std::byte* position() const { return at_; }

  std::uint8_t u8() { return number<std::uint8_t>(); }
  std::uint16_t u16() { return number<std::uint16_t>(); }
  std::uint32_t u32() { return number<std::uint32_t>(); }

  // A variable byte integer: at most four bytes, and no more than it needs [MQTT-1.5.5-1].
  std::uint32_t varint() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
      const std::uint8_t byte = u8();
      value |= (byte & 0x7FU) << shift;
      if (byte < 0x80) {
        if (byte == 0 && shift > 0) break;
        return value;
      }
    }
    fail("a variable byte integer that is not one");
    return 0;
  }

  Bytes bytes(std::size_t count) {
    if (left() < count) {
      fail("the packet ends too early");
      return {};
    }
    const Bytes taken(at_, count);
    at_ += count;
    return taken;
  }
  Bytes binary() { return bytes(u16()); }
  Bytes rest() { return bytes(left()); }
  std::string_view unchecked_text() { return as_text(binary()); }
  std::string_view text() {
    const std::string_view taken = unchecked_text();
    if (valid_utf8(taken)) return taken;
    fail("a string that is not UTF-8, or has a null character in it");
    return {};
  }

 private:
  template <typename T>
  T number() {
    if (left() < sizeof(T)) {
      fail("the packet ends too early");
      return 0;
    }
    const T value = load_be<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  void fail(std::string_view why) {
    if (fault_.empty()) fault_ = why;
    at_ = end_;
  }

  const std::byte* at_;
  const std::byte* end_;
  std::string_view fault_;
};

}  // namespace weir::mqtt
