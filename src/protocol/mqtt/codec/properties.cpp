#include "protocol/mqtt/codec/properties.h"

#include "base/assert.h"
#include "base/cursor.h"
#include "protocol/mqtt/codec/property_list.h"

namespace weir::mqtt {

namespace {

using enum PropertyId;

constexpr PropertySet user_only = set_of(user_property);
constexpr PropertySet of_connect =
    set_of({session_expiry_interval, receive_maximum, maximum_packet_size, topic_alias_maximum,
            request_response_information, request_problem_information, user_property, authentication_method,
            authentication_data});
constexpr PropertySet of_connack = set_of(
    {session_expiry_interval, receive_maximum, maximum_qos, retain_available, maximum_packet_size,
     assigned_client_identifier, topic_alias_maximum, reason_string, user_property,
     wildcard_subscription_available, subscription_identifier_available, shared_subscription_available,
     server_keep_alive, response_information, server_reference, authentication_method, authentication_data});
constexpr PropertySet of_message = set_of({payload_format_indicator, message_expiry_interval, content_type,
                                           response_topic, correlation_data, user_property});
constexpr PropertySet of_will = of_message | set_of(will_delay_interval);
constexpr PropertySet of_publish = of_message | set_of({topic_alias, subscription_identifier});
constexpr PropertySet of_ack = set_of({reason_string, user_property});
constexpr PropertySet of_subscribe = set_of({subscription_identifier, user_property});
constexpr PropertySet of_disconnect =
    set_of({session_expiry_interval, reason_string, user_property, server_reference});
constexpr PropertySet of_auth =
    set_of({authentication_method, authentication_data, reason_string, user_property});

// From where the first one begins to where the last one ends.
void widen(Bytes& range, Bytes one) {
  range = range.empty() ? one : Bytes(range.data(), one.data() + one.size());
}

// Puts the user properties into values.user, and gives all others to `fill`.
template <typename Properties, typename Fill>
Decoded<Properties> decode(Input& input, PropertySet allowed, PropertySet repeatable, Fill&& fill) {
  Properties values;
  Bytes user;
  const auto done =
      decode_list(input, allowed, repeatable | user_only, [&](const Property& property, Bytes bytes) {
        if (property.id == user_property) {
          widen(user, bytes);
        } else {
          fill(values, property, bytes);
        }
      });
  if (!done) return std::unexpected<WireError>(done.error());
  values.user = UserProperties(user);
  return values;
}

void fill_message(PublishProperties& values, const Property& property) {
  switch (property.id) {
    case payload_format_indicator: values.payload_format = static_cast<std::uint8_t>(property.number); break;
    case message_expiry_interval: values.message_expiry_s = property.number; break;
    case content_type: values.content_type = property.text(); break;
    case response_topic: values.response_topic = property.text(); break;
    case correlation_data: values.correlation_data = property.data; break;
    case topic_alias: values.topic_alias = static_cast<std::uint16_t>(property.number); break;
    case will_delay_interval: values.will_delay_s = property.number; break;
    default: break;
  }
}

void fill_connect(ConnectProperties& values, const Property& property) {
  switch (property.id) {
    case session_expiry_interval: values.session_expiry_s = property.number; break;
    case receive_maximum: values.receive_maximum = static_cast<std::uint16_t>(property.number); break;
    case maximum_packet_size: values.maximum_packet_bytes = property.number; break;
    case topic_alias_maximum: values.topic_alias_maximum = static_cast<std::uint16_t>(property.number); break;
    case request_response_information: values.request_response_information = property.flag(); break;
    case request_problem_information: values.request_problem_information = property.flag(); break;
    case authentication_method: values.authentication_method = property.text(); break;
    case authentication_data: values.authentication_data = property.data; break;
    default: break;
  }
}

void fill_connack(ConnackProperties& values, const Property& property) {
  switch (property.id) {
    case session_expiry_interval: values.session_expiry_s = property.number; break;
    case receive_maximum: values.receive_maximum = static_cast<std::uint16_t>(property.number); break;
    case maximum_qos: values.maximum_qos = static_cast<std::uint8_t>(property.number); break;
    case retain_available: values.retain_available = property.flag(); break;
    case maximum_packet_size: values.maximum_packet_bytes = property.number; break;
    case assigned_client_identifier: values.assigned_client_id = property.text(); break;
    case topic_alias_maximum: values.topic_alias_maximum = static_cast<std::uint16_t>(property.number); break;
    case reason_string: values.reason_string = property.text(); break;
    case wildcard_subscription_available: values.wildcard_subscriptions = property.flag(); break;
    case subscription_identifier_available: values.subscription_identifiers = property.flag(); break;
    case shared_subscription_available: values.shared_subscriptions = property.flag(); break;
    case server_keep_alive: values.server_keep_alive_s = static_cast<std::uint16_t>(property.number); break;
    case response_information: values.response_information = property.text(); break;
    case server_reference: values.server_reference = property.text(); break;
    case authentication_method: values.authentication_method = property.text(); break;
    case authentication_data: values.authentication_data = property.data; break;
    default: break;
  }
}

}  // namespace

void UserProperties::Iterator::advance() {
  Input input(left_);
  while (!input.at_end()) {
    Property property;
    const bool taken = take_property(input, false, property);
    WEIR_ASSERT(taken);
    if (property.id != user_property) continue;
    at_ = {property.text(), property.value};
    left_ = left_.last(input.left());
    return;
  }
  left_ = {};
  ended_ = true;
}

std::uint32_t SubscriptionIds::next(Bytes& left) {
  Input input(left);
  while (!input.at_end()) {
    Property property;
    const bool taken = take_property(input, false, property);
    WEIR_ASSERT(taken);
    if (property.id != subscription_identifier) continue;
    left = left.last(input.left());
    return property.number;
  }
  return 0;
}

void append_user_property(std::vector<std::byte>& raw, std::string_view name, std::string_view value) {
  WEIR_ASSERT(name.size() <= 65'535 && value.size() <= 65'535);
  Writer writer(raw);
  writer.u8(static_cast<std::uint8_t>(user_property));
  writer.be(static_cast<std::uint16_t>(name.size()));
  writer.text(name);
  writer.be(static_cast<std::uint16_t>(value.size()));
  writer.text(value);
}

Decoded<ConnectProperties> decode_connect_properties(Input& input) {
  auto values = decode<ConnectProperties>(
      input, of_connect, 0,
      [](ConnectProperties& to, const Property& property, Bytes) { fill_connect(to, property); });
  if (values && values->authentication_data && !values->authentication_method) {
    return protocol_error("authentication data without a method");
  }
  return values;
}

Decoded<ConnackProperties> decode_connack_properties(Input& input) {
  return decode<ConnackProperties>(
      input, of_connack, 0,
      [](ConnackProperties& to, const Property& property, Bytes) { fill_connack(to, property); });
}

Decoded<PublishProperties> decode_will_properties(Input& input) {
  return decode<PublishProperties>(
      input, of_will, 0,
      [](PublishProperties& to, const Property& property, Bytes) { fill_message(to, property); });
}

Decoded<PublishProperties> decode_publish_properties(Input& input) {
  bool has_id = false;
  auto values = decode<PublishProperties>(input, of_publish, 0,
                                          [&](PublishProperties& to, const Property& property, Bytes) {
                                            has_id = has_id || property.id == subscription_identifier;
                                            fill_message(to, property);
                                          });
  if (values && has_id) return protocol_error("a subscription identifier in a PUBLISH from a client");
  return values;
}

Decoded<PublishProperties> decode_publish_properties(Input& input, SubscriptionIds& ids) {
  Bytes range;
  auto values = decode<PublishProperties>(input, of_publish, set_of(subscription_identifier),
                                          [&](PublishProperties& to, const Property& property, Bytes bytes) {
                                            if (property.id == subscription_identifier) widen(range, bytes);
                                            fill_message(to, property);
                                          });
  ids = SubscriptionIds(range);
  return values;
}

Decoded<AckProperties> decode_ack_properties(Input& input) {
  return decode<AckProperties>(input, of_ack, 0, [](AckProperties& to, const Property& property, Bytes) {
    to.reason_string = property.text();
  });
}

Decoded<SubscribeProperties> decode_subscribe_properties(Input& input) {
  return decode<SubscribeProperties>(
      input, of_subscribe, 0,
      [](SubscribeProperties& to, const Property& property, Bytes) { to.subscription_id = property.number; });
}

Decoded<UnsubscribeProperties> decode_unsubscribe_properties(Input& input) {
  return decode<UnsubscribeProperties>(input, user_only, 0,
                                       [](UnsubscribeProperties&, const Property&, Bytes) {});
}

Decoded<DisconnectProperties> decode_disconnect_properties(Input& input, Sender sender) {
  auto values = decode<DisconnectProperties>(input, of_disconnect, 0,
                                             [](DisconnectProperties& to, const Property& property, Bytes) {
                                               switch (property.id) {
                                                 case session_expiry_interval:
                                                   to.session_expiry_s = property.number;
                                                   break;
                                                 case reason_string:
                                                   to.reason_string = property.text();
                                                   break;
                                                 default: to.server_reference = property.text(); break;
                                               }
                                             });
  if (values && values->session_expiry_s && sender == Sender::server) {
    return protocol_error("a session expiry interval in a DISCONNECT from a server");
  }
  return values;
}

Decoded<AuthProperties> decode_auth_properties(Input& input) {
  auto values =
      decode<AuthProperties>(input, of_auth, 0, [](AuthProperties& to, const Property& property, Bytes) {
        switch (property.id) {
          case authentication_method: to.authentication_method = property.text(); break;
          case authentication_data: to.authentication_data = property.data; break;
          default: to.reason_string = property.text(); break;
        }
      });
  if (values && !values->authentication_method) return protocol_error("AUTH without a method");
  return values;
}

}  // namespace weir::mqtt
