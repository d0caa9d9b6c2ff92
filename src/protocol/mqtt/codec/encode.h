// What it is: packets as bytes. write(to, ...) writes exactly size_of(...) bytes at `to` and returns the byte after them.
// Errors: none. Strings and binary data are at most 65,535 bytes and a packet at most packet_bytes_max, which are asserted:
// the caller compares size_of() with the peer's maximum packet size anyway.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "protocol/mqtt/codec/packets.h"

namespace weir::mqtt {

// Before 5.0 a packet has no properties and the codes that there were then: the return codes of CONNACK, 0x80 for each
// failure in a SUBACK.
std::size_t size_of(Version version, const Connack& connack);
std::byte* write(std::byte* to, Version version, const Connack& connack);

// The short forms, when the code is success and there are no properties.
std::size_t size_of(Version version, const Ack& ack);
std::byte* write(std::byte* to, Version version, const Ack& ack);
// The shortest one, without a code.
inline constexpr std::size_t plain_ack_bytes = 4;
inline std::byte* write_plain_ack(std::byte* to, PacketType type, std::uint16_t packet_id) {
  to[0] = static_cast<std::byte>(static_cast<unsigned>(type) << 4U | fixed_flags_of(type));
  to[1] = std::byte{2};
  store_be(to + 2, packet_id);
  return to + plain_ack_bytes;
}

std::size_t size_of(Version version, const SubscriptionAck& ack);
std::byte* write(std::byte* to, Version version, const SubscriptionAck& ack);

inline constexpr std::size_t ping_bytes = 2;
inline std::byte* write_pingresp(std::byte* to) {
  to[0] = static_cast<std::byte>(static_cast<unsigned>(PacketType::pingresp) << 4U);
  to[1] = std::byte{0};
  return to + ping_bytes;
}

// Before 5.0 only a client sends it.
std::size_t size_of(Version version, const Disconnect& disconnect);
std::byte* write(std::byte* to, Version version, const Disconnect& disconnect);

std::size_t size_of(const Auth& auth);
std::byte* write(std::byte* to, const Auth& auth);

// Of a PUBLISH all but its payload.
struct PublishHead {
  std::string_view topic{};
  std::uint8_t qos = 0;
  bool dup = false, retain = false;
  std::uint16_t packet_id = 0;  // of QoS 1 and 2
  std::size_t payload_bytes = 0;
  PublishProperties properties{};
  std::span<const std::uint32_t> subscription_ids{};  // none is 0
};
std::size_t size_of(Version version, const PublishHead& head);  // without the payload

// One encoding serves many subscribers: those of QoS 0, and those of QoS 1 and 2, whose flags and packet identifier are put
// in afterwards.
struct WrittenHead {
  std::byte* end = nullptr;
  std::uint32_t packet_id_at = 0;  // 0: QoS 0, there is none
};
WrittenHead write(std::byte* to, Version version, const PublishHead& head);

constexpr std::byte publish_first_byte(std::uint8_t qos, bool dup, bool retain) {
  return static_cast<std::byte>(static_cast<unsigned>(PacketType::publish) << 4U | (dup ? flag_dup : 0U) |
                                static_cast<unsigned>(qos) << 1U | (retain ? flag_retain : 0U));
}
// Of a head that was written with QoS 1 or 2, and remains so.
inline void patch_publish(std::byte* head, std::uint32_t packet_id_at, std::uint8_t qos, bool dup,
                          bool retain, std::uint16_t packet_id) {
  head[0] = publish_first_byte(qos, dup, retain);
  store_be(head + packet_id_at, packet_id);
}

}  // namespace weir::mqtt
