// What it is: where an encoder's output goes: counted by SizeSink, written by ByteSink. Each packet is described once, as a
// template over the sink, so that its size and its bytes cannot differ.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"
#include "protocol/mqtt/codec/packets.h"
#include "protocol/mqtt/codec/properties.h"

namespace weir::mqtt {

constexpr std::size_t varint_bytes(std::uint32_t value) {
  if (value < 128) return 1;
  if (value < 16'384) return 2;
  return value < 2'097'152 ? 3 : 4;
}

class SizeSink {
 public:
  void u8(std::uint8_t) { bytes_ += 1; }
  void u16(std::uint16_t) { bytes_ += 2; }
  void u32(std::uint32_t) { bytes_ += 4; }
  void varint(std::uint32_t value) { bytes_ += varint_bytes(value); }
  void raw(Bytes value) { bytes_ += value.size(); }
  void binary(Bytes value) { bytes_ += 2 + value.size(); }
  void text(std::string_view value) { bytes_ += 2 + value.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

// Strings and binary data are at most 65,535 bytes: asserted.
class ByteSink {
 public:
  explicit ByteSink(std::byte* to) : at_(to) {}
  void u8(std::uint8_t value) { *at_++ = static_cast<std::byte>(value); }
  void u16(std::uint16_t value) { number(value); }
  void u32(std::uint32_t value) { number(value); }
  void varint(std::uint32_t value) {
    for (; value >= 0x80; value >>= 7U) u8(static_cast<std::uint8_t>(value | 0x80U));
    u8(static_cast<std::uint8_t>(value));
  }
  void raw(Bytes value) {
    if (!value.empty()) std::memcpy(at_, value.data(), value.size());
    at_ += value.size();
  }
  void binary(Bytes value) {
    WEIR_ASSERT(value.size() <= 65'535);
    u16(static_cast<std::uint16_t>(value.size()));
    raw(value);
  }
  void text(std::string_view value) { binary(as_bytes(value)); }
  std::byte* at() const { return at_; }

 private:
  template <typename T>
  void number(T value) {
    store_be(at_, value);
    at_ += sizeof value;
  }
  std::byte* at_;
};

// Properties, each with its identifier; an absent one is nothing.
template <typename Sink>
class PropertyWriter {
 public:
  explicit PropertyWriter(Sink& sink) : sink_(sink) {}

  void u8(PropertyId id, std::optional<std::uint8_t> value) {
    if (value) begin(id).u8(*value);
  }
  void flag(PropertyId id, std::optional<bool> value) {
    if (value) begin(id).u8(*value ? 1 : 0);
  }
  void u16(PropertyId id, std::optional<std::uint16_t> value) {
    if (value) begin(id).u16(*value);
  }
  void u32(PropertyId id, std::optional<std::uint32_t> value) {
    if (value) begin(id).u32(*value);
  }
  void varint(PropertyId id, std::uint32_t value) { begin(id).varint(value); }
  void text(PropertyId id, const std::optional<std::string_view>& value) {
    if (value) begin(id).text(*value);
  }
  void binary(PropertyId id, const std::optional<Bytes>& value) {
    if (value) begin(id).binary(*value);
  }
  void user(const UserProperties& properties) {
    if (properties.empty()) return;
    for (const UserProperty& property : properties) {
      begin(PropertyId::user_property).text(property.name);
      sink_.text(property.value);
    }
  }

 private:
  Sink& begin(PropertyId id) {
    sink_.u8(static_cast<std::uint8_t>(id));
    return sink_;
  }
  Sink& sink_;
};

// put(PropertyWriter): what is in the list. Its length goes in front.
template <typename Sink, typename Put>
void put_list(Sink& sink, Put&& put) {
  SizeSink size;
  PropertyWriter<SizeSink> sizes(size);
  put(sizes);
  WEIR_ASSERT(size.bytes() <= remaining_bytes_max);
  sink.varint(static_cast<std::uint32_t>(size.bytes()));
  PropertyWriter<Sink> properties(sink);
  put(properties);
}

template <typename Writer>
void put_message_properties(Writer& to, const PublishProperties& properties) {
  using enum PropertyId;
  to.u8(payload_format_indicator, properties.payload_format);
  to.u32(message_expiry_interval, properties.message_expiry_s);
  to.text(content_type, properties.content_type);
  to.text(response_topic, properties.response_topic);
  to.binary(correlation_data, properties.correlation_data);
  to.user(properties.user);
}

// A packet's first byte and its remaining length. `put_body(sink)` describes the rest of it, `extra_bytes` come after that
// and are not written here.
constexpr std::uint8_t first_byte_of(PacketType type, std::uint8_t flags) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4U | flags);
}
constexpr std::uint8_t first_byte_of(PacketType type) { return first_byte_of(type, fixed_flags_of(type)); }

template <typename Put>
std::uint32_t remaining_bytes_of(Put&& put_body, std::size_t extra_bytes = 0) {
  SizeSink size;
  put_body(size);
  WEIR_ASSERT(size.bytes() + extra_bytes <= remaining_bytes_max);
  return static_cast<std::uint32_t>(size.bytes() + extra_bytes);
}
template <typename Put>
std::size_t packet_size(Put&& put_body) {
  const std::uint32_t remaining = remaining_bytes_of(put_body);
  return 1 + varint_bytes(remaining) + remaining;
}
template <typename Put>
std::byte* write_packet(std::byte* to, std::uint8_t first_byte, Put&& put_body) {
  ByteSink sink(to);
  sink.u8(first_byte);
  sink.varint(remaining_bytes_of(put_body));
  put_body(sink);
  return sink.at();
}

}  // namespace weir::mqtt
