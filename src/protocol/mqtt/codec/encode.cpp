#include "protocol/mqtt/codec/encode.h"

#include "protocol/mqtt/codec/sink.h"

namespace weir::mqtt {

namespace {

using enum PropertyId;

auto body_of(Version version, const Connack& connack) {
  return [version, &connack](auto& sink) {
    const bool accepted = connack.code == ReasonCode::success;
    // [MQTT-3.2.2-6]; 3.1 has a reserved byte there.
    sink.u8(connack.session_present && accepted && version != Version::v3_1 ? 1 : 0);
    if (version != Version::v5) {
      sink.u8(static_cast<std::uint8_t>(connect_return_code_of(connack.code)));
      return;
    }
    sink.u8(number_of(connack.code));
    put_list(sink, [&](auto& to) {
      const ConnackProperties& properties = connack.properties;
      to.u32(session_expiry_interval, properties.session_expiry_s);
      to.u16(receive_maximum, properties.receive_maximum);
      to.u8(maximum_qos, properties.maximum_qos);
      to.flag(retain_available, properties.retain_available);
      to.u32(maximum_packet_size, properties.maximum_packet_bytes);
      to.text(assigned_client_identifier, properties.assigned_client_id);
      to.u16(topic_alias_maximum, properties.topic_alias_maximum);
      to.text(reason_string, properties.reason_string);
      to.flag(wildcard_subscription_available, properties.wildcard_subscriptions);
      to.flag(subscription_identifier_available, properties.subscription_identifiers);
      to.flag(shared_subscription_available, properties.shared_subscriptions);
      to.u16(server_keep_alive, properties.server_keep_alive_s);
      to.text(response_information, properties.response_information);
      to.text(server_reference, properties.server_reference);
      to.text(authentication_method, properties.authentication_method);
      to.binary(authentication_data, properties.authentication_data);
      to.user(properties.user);
    });
  };
}

auto list_of(const AckProperties& properties) {
  return [&properties](auto& to) {
    to.text(reason_string, properties.reason_string);
    to.user(properties.user);
  };
}
bool is_empty(const AckProperties& properties) {
  return !properties.reason_string && properties.user.empty();
}

auto body_of(Version version, const Ack& ack) {
  return [version, &ack](auto& sink) {
    sink.u16(ack.packet_id);
    const bool plain = is_empty(ack.properties);
    if (version != Version::v5 || (plain && ack.code == ReasonCode::success)) return;
    sink.u8(number_of(ack.code));
    if (!plain) put_list(sink, list_of(ack.properties));
  };
}

auto body_of(Version version, const SubscriptionAck& ack) {
  return [version, &ack](auto& sink) {
    sink.u16(ack.packet_id);
    if (version == Version::v5) {
      put_list(sink, list_of(ack.properties));
    } else if (ack.type == PacketType::unsuback) {
      return;
    }
    for (const ReasonCode code : ack.codes) {
      const bool plain_failure = version != Version::v5 && is_failure(code);
      sink.u8(number_of(plain_failure ? ReasonCode::unspecified_error : code));
    }
  };
}

auto body_of(Version version, const Disconnect& disconnect) {
  return [version, &disconnect](auto& sink) {
    if (version != Version::v5) return;
    const DisconnectProperties& properties = disconnect.properties;
    const bool plain = !properties.session_expiry_s && !properties.reason_string &&
                       !properties.server_reference && properties.user.empty();
    if (plain && disconnect.code == ReasonCode::success) return;
    sink.u8(number_of(disconnect.code));
    if (plain) return;
    put_list(sink, [&](auto& to) {
      to.u32(session_expiry_interval, properties.session_expiry_s);
      to.text(reason_string, properties.reason_string);
      to.text(server_reference, properties.server_reference);
      to.user(properties.user);
    });
  };
}

auto body_of(const Auth& auth) {
  return [&auth](auto& sink) {
    const AuthProperties& properties = auth.properties;
    const bool plain = !properties.authentication_method && !properties.authentication_data &&
                       !properties.reason_string && properties.user.empty();
    if (plain && auth.code == ReasonCode::success) return;
    sink.u8(number_of(auth.code));
    put_list(sink, [&](auto& to) {
      to.text(authentication_method, properties.authentication_method);
      to.binary(authentication_data, properties.authentication_data);
      to.text(reason_string, properties.reason_string);
      to.user(properties.user);
    });
  };
}

auto body_of(Version version, const PublishHead& head) {
  return [version, &head](auto& sink) {
    sink.text(head.topic);
    if (head.qos > 0) sink.u16(head.packet_id);
    if (version != Version::v5) return;
    put_list(sink, [&](auto& to) {
      if (head.properties.topic_alias != 0) to.u16(topic_alias, head.properties.topic_alias);
      for (const std::uint32_t id : head.subscription_ids) to.varint(subscription_identifier, id);
      put_message_properties(to, head.properties);
    });
  };
}

}  // namespace

std::size_t size_of(Version version, const Connack& connack) {
  return packet_size(body_of(version, connack));
}
std::byte* write(std::byte* to, Version version, const Connack& connack) {
  return write_packet(to, first_byte_of(PacketType::connack), body_of(version, connack));
}

std::size_t size_of(Version version, const Ack& ack) { return packet_size(body_of(version, ack)); }
std::byte* write(std::byte* to, Version version, const Ack& ack) {
  return write_packet(to, first_byte_of(ack.type), body_of(version, ack));
}

std::size_t size_of(Version version, const SubscriptionAck& ack) {
  return packet_size(body_of(version, ack));
}
std::byte* write(std::byte* to, Version version, const SubscriptionAck& ack) {
  return write_packet(to, first_byte_of(ack.type), body_of(version, ack));
}

std::size_t size_of(Version version, const Disconnect& disconnect) {
  return packet_size(body_of(version, disconnect));
}
std::byte* write(std::byte* to, Version version, const Disconnect& disconnect) {
  return write_packet(to, first_byte_of(PacketType::disconnect), body_of(version, disconnect));
}

std::size_t size_of(const Auth& auth) { return packet_size(body_of(auth)); }
std::byte* write(std::byte* to, const Auth& auth) {
  return write_packet(to, first_byte_of(PacketType::auth), body_of(auth));
}

std::size_t size_of(Version version, const PublishHead& head) {
  const std::uint32_t remaining = remaining_bytes_of(body_of(version, head), head.payload_bytes);
  return 1 + varint_bytes(remaining) + remaining - head.payload_bytes;
}

WrittenHead write(std::byte* to, Version version, const PublishHead& head) {
  const auto body = body_of(version, head);
  ByteSink sink(to);
  sink.u8(static_cast<std::uint8_t>(publish_first_byte(head.qos, head.dup, head.retain)));
  sink.varint(remaining_bytes_of(body, head.payload_bytes));
  const auto topic_at = static_cast<std::uint32_t>(sink.at() - to);
  body(sink);
  const auto packet_id_at = static_cast<std::uint32_t>(topic_at + 2 + head.topic.size());
  return {.end = sink.at(), .packet_id_at = head.qos == 0 ? 0 : packet_id_at};
}

}  // namespace weir::mqtt
