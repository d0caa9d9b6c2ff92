#include "protocol/mqtt/codec/client.h"

#include "protocol/mqtt/codec/decode_body.h"
#include "protocol/mqtt/codec/sink.h"

namespace weir::mqtt {

namespace {

using enum PropertyId;

std::uint8_t flags_of(const Connect& connect) {
  unsigned flags = connect.clean_start ? 2 : 0;
  if (connect.will) {
    flags |= 4U | static_cast<unsigned>(connect.will->qos) << 3U | (connect.will->retain ? 0x20U : 0U);
  }
  if (connect.password) flags |= 0x40U;
  if (connect.user_name) flags |= 0x80U;
  return static_cast<std::uint8_t>(flags);
}

template <typename Writer>
void put(Writer& to, const ConnectProperties& properties) {
  const ConnectProperties defaults;
  if (properties.session_expiry_s != defaults.session_expiry_s) {
    to.u32(session_expiry_interval, properties.session_expiry_s);
  }
  if (properties.receive_maximum != defaults.receive_maximum) {
    to.u16(receive_maximum, properties.receive_maximum);
  }
  if (properties.maximum_packet_bytes != 0) to.u32(maximum_packet_size, properties.maximum_packet_bytes);
  if (properties.topic_alias_maximum != 0) to.u16(topic_alias_maximum, properties.topic_alias_maximum);
  if (properties.request_response_information) to.flag(request_response_information, true);
  if (!properties.request_problem_information) to.flag(request_problem_information, false);
  to.text(authentication_method, properties.authentication_method);
  to.binary(authentication_data, properties.authentication_data);
  to.user(properties.user);
}

auto body_of(const Connect& connect) {
  return [&connect](auto& sink) {
    const bool v5 = connect.version == Version::v5;
    sink.text(connect.version == Version::v3_1 ? "MQIsdp" : "MQTT");
    sink.u8(static_cast<std::uint8_t>(connect.version));
    sink.u8(flags_of(connect));
    sink.u16(connect.keep_alive_s);
    if (v5) put_list(sink, [&](auto& to) { put(to, connect.properties); });
    sink.text(connect.client_id);
    if (connect.will) {
      const PublishProperties& properties = connect.will->properties;
      if (v5) {
        put_list(sink, [&](auto& to) {
          if (properties.will_delay_s != 0) to.u32(will_delay_interval, properties.will_delay_s);
          put_message_properties(to, properties);
        });
      }
      sink.text(connect.will->topic);
      sink.binary(connect.will->payload);
    }
    if (connect.user_name) sink.text(*connect.user_name);
    if (connect.password) sink.binary(*connect.password);
  };
}

std::uint8_t options_of(const Subscription& subscription, Version version) {
  if (version != Version::v5) return subscription.qos;
  return static_cast<std::uint8_t>(subscription.qos | (subscription.no_local ? 4U : 0U) |
                                   (subscription.retain_as_published ? 8U : 0U) |
                                   static_cast<unsigned>(subscription.retain_handling) << 4U);
}

auto body_of(Version version, const SubscribeRequest& request) {
  return [version, &request](auto& sink) {
    sink.u16(request.packet_id);
    if (version == Version::v5) {
      put_list(sink, [&](auto& to) {
        if (request.properties.subscription_id != 0) {
          to.varint(subscription_identifier, request.properties.subscription_id);
        }
        to.user(request.properties.user);
      });
    }
    for (const Subscription& subscription : request.subscriptions) {
      sink.text(subscription.filter);
      sink.u8(options_of(subscription, version));
    }
  };
}

auto body_of(Version version, const UnsubscribeRequest& request) {
  return [version, &request](auto& sink) {
    sink.u16(request.packet_id);
    if (version == Version::v5) put_list(sink, [&](auto& to) { to.user(request.properties.user); });
    for (const std::string_view filter : request.filters) sink.text(filter);
  };
}

}  // namespace

std::size_t size_of(const Connect& connect) { return packet_size(body_of(connect)); }
std::byte* write(std::byte* to, const Connect& connect) {
  return write_packet(to, first_byte_of(PacketType::connect), body_of(connect));
}

std::size_t size_of(Version version, const SubscribeRequest& request) {
  return packet_size(body_of(version, request));
}
std::byte* write(std::byte* to, Version version, const SubscribeRequest& request) {
  return write_packet(to, first_byte_of(PacketType::subscribe), body_of(version, request));
}

std::size_t size_of(Version version, const UnsubscribeRequest& request) {
  return packet_size(body_of(version, request));
}
std::byte* write(std::byte* to, Version version, const UnsubscribeRequest& request) {
  return write_packet(to, first_byte_of(PacketType::unsubscribe), body_of(version, request));
}

Decoded<Connack> decode_connack(Version version, Bytes body) {
  Connack connack;
  Input input(body);
  const std::uint8_t flags = input.u8();
  const std::uint8_t code = input.u8();
  if (!input.ok()) return malformed(input.fault());
  if (flags > 1) return malformed("reserved flags of CONNACK");
  connack.session_present = flags == 1;
  if (version != Version::v5) {
    if (code > 5) return malformed("a return code that is none");
    connack.code = reason_code_of(static_cast<ConnectReturnCode>(code));
  } else {
    connack.code = static_cast<ReasonCode>(code);
    if (!may_carry(PacketType::connack, connack.code, Sender::server)) {
      return protocol_error("a reason code that is not this packet's");
    }
    const auto properties = decode_connack_properties(input);
    if (!properties) return std::unexpected<WireError>(properties.error());
    connack.properties = *properties;
  }
  if (const auto end = ended(input); !end) return std::unexpected<WireError>(end.error());
  return connack;
}

Decoded<SubscriptionAck> decode_subscription_ack(Version version, PacketType type, Bytes body) {
  SubscriptionAck ack{.type = type};
  Input input(body);
  ack.packet_id = input.u16();
  if (!input.ok()) return malformed(input.fault());
  if (version == Version::v5) {
    const auto properties = decode_ack_properties(input);
    if (!properties) return std::unexpected<WireError>(properties.error());
    ack.properties = *properties;
  }
  const Bytes codes = input.rest();
  const bool may_have_codes = version == Version::v5 || type == PacketType::suback;
  if (!may_have_codes && !codes.empty()) return malformed("bytes behind the packet's end");
  ack.codes = {reinterpret_cast<const ReasonCode*>(codes.data()), codes.size()};
  for (const ReasonCode code : ack.codes) {
    if (!may_carry(type, code, Sender::server)) {
      return protocol_error("a reason code that is not this packet's");
    }
  }
  return ack;
}

Decoded<Publish> decode_server_publish(Version version, std::uint8_t flags, Bytes body) {
  return decode_publish(version, flags, body, Sender::server);
}
Decoded<Ack> decode_server_ack(Version version, PacketType type, Bytes body) {
  return decode_ack(version, type, body, Sender::server);
}
Decoded<Disconnect> decode_server_disconnect(Version version, Bytes body) {
  return decode_disconnect(version, body, Sender::server);
}
Decoded<Auth> decode_server_auth(Bytes body) { return decode_auth(body, Sender::server); }

}  // namespace weir::mqtt
