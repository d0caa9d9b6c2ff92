#include "protocol/mqtt/codec/decode.h"

#include "protocol/mqtt/codec/decode_body.h"
#include "protocol/mqtt/codec/topic.h"

namespace weir::mqtt {

namespace {

// [MQTT-2.2.1-3]; before 5.0 [MQTT-2.3.1-1].
Decoded<std::uint16_t> take_packet_id(Input& input) {
  const std::uint16_t id = input.u16();
  if (!input.ok()) return malformed(input.fault());
  if (id == 0) return protocol_error("a packet identifier of 0");
  return id;
}

Decoded<void> check_topic(const Publish& publish, Version version) {
  if (has_wildcards(publish.topic)) {  // [MQTT-3.3.2-2]
    return refuse(ReasonCode::topic_name_invalid, "a topic name with wildcards");
  }
  if (!publish.topic.empty()) return {};
  if (version != Version::v5) return refuse(ReasonCode::topic_name_invalid, "an empty topic name");
  if (publish.properties.topic_alias == 0) return protocol_error("neither a topic name nor an alias");
  return {};
}

Decoded<void> check_options(std::uint8_t options, std::string_view filter, Version version) {
  if (version != Version::v5) {
    if (options > 2) return malformed("a requested QoS that is none");  // 3.1.1: [MQTT-3.8.3-4]
    return {};
  }
  if ((options & 0xC0U) != 0) return malformed("reserved subscription options");  // [MQTT-3.8.3-5]
  if ((options & 3U) == 3) return protocol_error("a requested QoS of 3");
  if ((options >> 4U) == 3) return protocol_error("a retain handling of 3");
  if ((options & 4U) != 0 && is_shared(filter)) {  // [MQTT-3.8.3-4]
    return protocol_error("no local on a shared subscription");
  }
  return {};
}

Decoded<void> check_filter(const Input& input, std::string_view filter) {
  if (!input.ok()) return malformed(input.fault());
  if (is_subscribable(filter)) return {};
  return refuse(ReasonCode::topic_filter_invalid, "a topic filter that is not valid");
}

}  // namespace

Decoded<Publish> decode_publish(Version version, std::uint8_t flags, Bytes body, Sender sender) {
  Publish publish{.qos = static_cast<std::uint8_t>(flags >> 1U & 3U),
                  .dup = (flags & flag_dup) != 0,
                  .retain = (flags & flag_retain) != 0};
  if (publish.qos == 3) return malformed("a PUBLISH with QoS 3");  // [MQTT-3.3.1-4]
  if (publish.dup && publish.qos == 0)
    return malformed("a PUBLISH with DUP and with QoS 0");  // [MQTT-3.3.1-2]
  Input input(body);
  publish.topic = input.text();
  if (!input.ok()) return malformed(input.fault());
  if (publish.qos > 0) {
    const auto id = take_packet_id(input);
    if (!id) return std::unexpected<WireError>(id.error());
    publish.packet_id = *id;
  }
  if (version == Version::v5) {
    const auto properties = sender == Sender::client
                                ? decode_publish_properties(input)
                                : decode_publish_properties(input, publish.subscription_ids);
    if (!properties) return std::unexpected<WireError>(properties.error());
    publish.properties = *properties;
  }
  if (const auto checked = check_topic(publish, version); !checked) {
    return std::unexpected<WireError>(checked.error());
  }
  publish.payload = input.rest();
  return publish;
}

Decoded<Ack> decode_ack(Version version, PacketType type, Bytes body, Sender sender) {
  Ack ack{.type = type};
  Input input(body);
  const auto id = take_packet_id(input);
  if (!id) return std::unexpected<WireError>(id.error());
  ack.packet_id = *id;
  if (version == Version::v5 && !input.at_end()) {
    ack.code = static_cast<ReasonCode>(input.u8());
    if (!may_carry(type, ack.code, sender)) return protocol_error("a reason code that is not this packet's");
    if (!input.at_end()) {
      const auto properties = decode_ack_properties(input);
      if (!properties) return std::unexpected<WireError>(properties.error());
      ack.properties = *properties;
    }
  }
  if (const auto end = ended(input); !end) return std::unexpected<WireError>(end.error());
  return ack;
}

Decoded<Subscribe> decode_subscribe(Version version, Bytes body) {
  Subscribe subscribe;
  Input input(body);
  const auto id = take_packet_id(input);
  if (!id) return std::unexpected<WireError>(id.error());
  subscribe.packet_id = *id;
  if (version == Version::v5) {
    const auto properties = decode_subscribe_properties(input);
    if (!properties) return std::unexpected<WireError>(properties.error());
    subscribe.properties = *properties;
  }
  const Bytes raw(input.position(), input.left());
  std::size_t count = 0;
  for (; !input.at_end(); ++count) {
    const std::string_view filter = input.text();
    const std::uint8_t options = input.u8();
    if (const auto checked = check_filter(input, filter); !checked) {
      return std::unexpected<WireError>(checked.error());
    }
    if (const auto checked = check_options(options, filter, version); !checked) {
      return std::unexpected<WireError>(checked.error());
    }
  }
  if (count == 0) return protocol_error("a SUBSCRIBE without a topic filter");  // [MQTT-3.8.3-2]
  subscribe.subscriptions = {raw, count};
  return subscribe;
}

Decoded<Unsubscribe> decode_unsubscribe(Version version, Bytes body) {
  Unsubscribe unsubscribe;
  Input input(body);
  const auto id = take_packet_id(input);
  if (!id) return std::unexpected<WireError>(id.error());
  unsubscribe.packet_id = *id;
  if (version == Version::v5) {
    const auto properties = decode_unsubscribe_properties(input);
    if (!properties) return std::unexpected<WireError>(properties.error());
    unsubscribe.properties = *properties;
  }
  const Bytes raw(input.position(), input.left());
  std::size_t count = 0;
  for (; !input.at_end(); ++count) {
    const std::string_view filter = input.text();
    if (const auto checked = check_filter(input, filter); !checked) {
      return std::unexpected<WireError>(checked.error());
    }
  }
  if (count == 0) return protocol_error("an UNSUBSCRIBE without a topic filter");  // [MQTT-3.10.3-2]
  unsubscribe.filters = {raw, count};
  return unsubscribe;
}

Decoded<Disconnect> decode_disconnect(Version version, Bytes body, Sender sender) {
  Disconnect disconnect;
  Input input(body);
  if (version == Version::v5 && !input.at_end()) {
    disconnect.code = static_cast<ReasonCode>(input.u8());
    if (!may_carry(PacketType::disconnect, disconnect.code, sender)) {
      return protocol_error("a reason code that is not this packet's");
    }
    if (!input.at_end()) {
      const auto properties = decode_disconnect_properties(input, sender);
      if (!properties) return std::unexpected<WireError>(properties.error());
      disconnect.properties = *properties;
    }
  }
  if (const auto end = ended(input); !end) return std::unexpected<WireError>(end.error());
  return disconnect;
}

Decoded<Auth> decode_auth(Bytes body, Sender sender) {
  Auth auth;
  Input input(body);
  if (body.empty()) {  // "Success", without properties
    if (sender == Sender::client) return protocol_error("AUTH without a method");
    return auth;
  }
  auth.code = static_cast<ReasonCode>(input.u8());
  if (!may_carry(PacketType::auth, auth.code, sender)) {
    return protocol_error("a reason code that is not this packet's");
  }
  const auto properties = decode_auth_properties(input);
  if (!properties) return std::unexpected<WireError>(properties.error());
  auth.properties = *properties;
  if (const auto end = ended(input); !end) return std::unexpected<WireError>(end.error());
  return auth;
}

Decoded<Publish> decode_publish(Version version, std::uint8_t flags, Bytes body) {
  return decode_publish(version, flags, body, Sender::client);
}
Decoded<Ack> decode_ack(Version version, PacketType type, Bytes body) {
  return decode_ack(version, type, body, Sender::client);
}
Decoded<Disconnect> decode_disconnect(Version version, Bytes body) {
  return decode_disconnect(version, body, Sender::client);
}
Decoded<Auth> decode_auth(Bytes body) { return decode_auth(body, Sender::client); }

}  // namespace weir::mqtt
