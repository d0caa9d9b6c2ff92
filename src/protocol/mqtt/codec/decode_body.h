// What it is: the decoders of packets that both sides send, by who sent them.
#pragma once

#include "protocol/mqtt/codec/decoded.h"
#include "protocol/mqtt/codec/packets.h"

namespace weir::mqtt {

Decoded<Publish> decode_publish(Version version, std::uint8_t flags, Bytes body, Sender sender);
Decoded<Ack> decode_ack(Version version, PacketType type, Bytes body, Sender sender);
Decoded<Disconnect> decode_disconnect(Version version, Bytes body, Sender sender);
Decoded<Auth> decode_auth(Bytes body, Sender sender);

// What is left when a packet was taken: nothing may.
inline Decoded<void> ended(const Input& input) {
  if (!input.ok()) return malformed(input.fault());
  if (!input.at_end()) return malformed("bytes behind the packet's end");
  return {};
}

}  // namespace weir::mqtt
