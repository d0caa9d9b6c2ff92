// What it is: the kinds of control packets (MQTT 5.0, 2.1.2).
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::mqtt {

enum class PacketType : std::uint8_t {
  connect = 1,
  connack,
  publish,
  puback,
  pubrec,
  pubrel,
  pubcomp,
  subscribe,
  suback,
  unsubscribe,
  unsuback,
  pingreq,
  pingresp,
  disconnect,
  auth,
};

constexpr std::string_view to_string(PacketType type) {
  constexpr std::string_view names[] = {
      "reserved",  "CONNECT", "CONNACK",     "PUBLISH",  "PUBACK",  "PUBREC",   "PUBREL",     "PUBCOMP",
      "SUBSCRIBE", "SUBACK",  "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"};
  return names[static_cast<std::size_t>(type) & 15U];
}

// The low half of a packet's first byte. Of a PUBLISH it is flags; of all others it is fixed (2.1.3).
inline constexpr std::uint8_t flag_retain = 1, flags_qos = 6, flag_dup = 8;
constexpr std::uint8_t fixed_flags_of(PacketType type) {
  return type == PacketType::pubrel || type == PacketType::subscribe || type == PacketType::unsubscribe ? 2
                                                                                                        : 0;
}

}  // namespace weir::mqtt
