// What it is: the bodies of a client's packets (what follows the fixed header) as values, checked as far as a packet can be
// by itself. Everything is a view into the body; nothing is allocated.
// Errors: the reason code that MQTT 5.0 gives the fault. What versions before 5.0 get is the connection's matter: they know
// codes in CONNACK only.
#pragma once

#include <optional>

#include "protocol/mqtt/codec/decoded.h"
#include "protocol/mqtt/codec/packets.h"

namespace weir::mqtt {

// Errors of its own: unsupported_protocol_version (another name or level), client_identifier_not_valid (an empty one that a
// session should be kept for, before 5.0), topic_name_invalid (the will's).
Decoded<Connect> decode_connect(Bytes body);
// In which version to answer a CONNECT that was refused, one that there is or the nearest to it; nullopt: in none.
std::optional<Version> answer_to_connect(Bytes body);

// `body` may end where the payload begins. An empty topic comes with an alias only.
Decoded<Publish> decode_publish(Version version, std::uint8_t flags, Bytes body);
Decoded<Ack> decode_ack(Version version, PacketType type, Bytes body);
Decoded<Subscribe> decode_subscribe(Version version, Bytes body);
Decoded<Unsubscribe> decode_unsubscribe(Version version, Bytes body);
Decoded<Disconnect> decode_disconnect(Version version, Bytes body);
Decoded<Auth> decode_auth(Bytes body);

}  // namespace weir::mqtt
