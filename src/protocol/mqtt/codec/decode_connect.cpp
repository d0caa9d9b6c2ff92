#include "protocol/mqtt/codec/decode.h"
#include "protocol/mqtt/codec/decode_body.h"
#include "protocol/mqtt/codec/topic.h"

namespace weir::mqtt {

namespace {

struct Flags {
  std::uint8_t bits;
  bool reserved() const { return (bits & 1U) != 0; }
  bool clean_start() const { return (bits & 2U) != 0; }
  bool will() const { return (bits & 4U) != 0; }
  std::uint8_t will_qos() const { return (bits >> 3U) & 3U; }
  bool will_retain() const { return (bits & 0x20U) != 0; }
  bool password() const { return (bits & 0x40U) != 0; }
  bool user_name() const { return (bits & 0x80U) != 0; }
};

// The protocol's name and level.
std::optional<Version> take_version(Input& input) {
  const std::string_view name = input.unchecked_text();
  const std::uint8_t level = input.u8();
  if (!input.ok()) return {};
  if (name == "MQTT" && level == 4) return Version::v3_1_1;
  if (name == "MQTT" && level == 5) return Version::v5;
  if (name == "MQIsdp" && level == 3) return Version::v3_1;
  return {};
}

Decoded<void> check(Flags flags, Version version) {
  if (flags.reserved()) return malformed("the reserved flag of CONNECT is set");    // [MQTT-3.1.2-3]
  if (flags.will_qos() == 3) return malformed("a will with QoS 3");                 // [MQTT-3.1.2-12]
  if (!flags.will() && flags.will_qos() != 0) return malformed("QoS of no will");   // [MQTT-3.1.2-11]
  if (!flags.will() && flags.will_retain()) return malformed("retain of no will");  // [MQTT-3.1.2-13]
  if (version != Version::v5 && flags.password() && !flags.user_name()) {
    return malformed("a password without a user name");  // 3.1.1: [MQTT-3.1.2-22]
  }
  return {};
}

Decoded<Will> take_will(Input& input, Flags flags, Version version) {
  Will will{.qos = flags.will_qos(), .retain = flags.will_retain()};
  if (version == Version::v5) {
    const auto properties = decode_will_properties(input);
    if (!properties) return std::unexpected<WireError>(properties.error());
    will.properties = *properties;
  }
  will.topic = input.text();
  will.payload = input.binary();
  if (!input.ok()) return malformed(input.fault());
  if (!is_topic_name(will.topic)) {
    return refuse(ReasonCode::topic_name_invalid, "a will's topic that is empty or has wildcards");
  }
  return will;
}

}  // namespace

std::optional<Version> answer_to_connect(Bytes body) {
  Input input(body);
  if (const auto version = take_version(input)) return version;
  Input again(body);
  const std::string_view name = again.unchecked_text();
  const std::uint8_t level = again.u8();
  if (!again.ok() || (name != "MQTT" && name != "MQIsdp")) return {};
  return level < 5 ? Version::v3_1_1 : Version::v5;
}

Decoded<Connect> decode_connect(Bytes body) {
  Input input(body);
  Connect connect;
  const auto version = take_version(input);
  if (!input.ok()) return malformed(input.fault());
  if (!version) {
    return refuse(ReasonCode::unsupported_protocol_version, "neither MQTT 3.1, nor 3.1.1, nor 5.0");
  }
  connect.version = *version;
  const Flags flags{input.u8()};
  connect.clean_start = flags.clean_start();
  connect.keep_alive_s = input.u16();
  if (!input.ok()) return malformed(input.fault());
  if (const auto checked = check(flags, *version); !checked)
    return std::unexpected<WireError>(checked.error());
  if (version == Version::v5) {
    const auto properties = decode_connect_properties(input);
    if (!properties) return std::unexpected<WireError>(properties.error());
    connect.properties = *properties;
  }
  connect.client_id = input.text();
  if (!input.ok()) return malformed(input.fault());
  if (flags.will()) {
    const auto will = take_will(input, flags, *version);
    if (!will) return std::unexpected<WireError>(will.error());
    connect.will = *will;
  }
  if (flags.user_name()) connect.user_name = input.text();
  if (flags.password()) connect.password = input.binary();
  if (const auto end = ended(input); !end) return std::unexpected<WireError>(end.error());
  // Longer ones than the 23 characters of 3.1 are taken.
  const bool needs_id = version == Version::v3_1 || (version == Version::v3_1_1 && !connect.clean_start);
  if (connect.client_id.empty() && needs_id) {  // 3.1.1: [MQTT-3.1.3-8]
    return refuse(ReasonCode::client_identifier_not_valid, "an empty client identifier");
  }
  return connect;
}

}  // namespace weir::mqtt
