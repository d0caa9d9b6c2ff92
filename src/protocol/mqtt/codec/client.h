// What it is: the client's direction: what a load generator and tests send and read. Writing works as in encode.h; a client's
// PUBLISH, acknowledgements, DISCONNECT and AUTH are those of encode.h.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "protocol/mqtt/codec/decoded.h"
#include "protocol/mqtt/codec/encode.h"
#include "protocol/mqtt/codec/packets.h"

namespace weir::mqtt {

// Properties that have their default value are not sent.
std::size_t size_of(const Connect& connect);
std::byte* write(std::byte* to, const Connect& connect);

struct SubscribeRequest {
  std::uint16_t packet_id = 0;
  std::span<const Subscription> subscriptions{};
  SubscribeProperties properties{};
};
std::size_t size_of(Version version, const SubscribeRequest& request);
std::byte* write(std::byte* to, Version version, const SubscribeRequest& request);

struct UnsubscribeRequest {
  std::uint16_t packet_id = 0;
  std::span<const std::string_view> filters{};
  UnsubscribeProperties properties{};
};
std::size_t size_of(Version version, const UnsubscribeRequest& request);
std::byte* write(std::byte* to, Version version, const UnsubscribeRequest& request);

inline std::byte* write_pingreq(std::byte* to) {  // ping_bytes
  to[0] = static_cast<std::byte>(static_cast<unsigned>(PacketType::pingreq) << 4U);
  to[1] = std::byte{0};
  return to + ping_bytes;
}

// What a server sends.
Decoded<Connack> decode_connack(Version version, Bytes body);
Decoded<Publish> decode_server_publish(Version version, std::uint8_t flags, Bytes body);
Decoded<Ack> decode_server_ack(Version version, PacketType type, Bytes body);
// The codes are a view of the body: ReasonCode is one byte.
Decoded<SubscriptionAck> decode_subscription_ack(Version version, PacketType type, Bytes body);
Decoded<Disconnect> decode_server_disconnect(Version version, Bytes body);
Decoded<Auth> decode_server_auth(Bytes body);

}  // namespace weir::mqtt
