#include "app/protocols.h"

#include "protocol/amqp091/channel_traces.h"
#include "protocol/amqp091/connections.h"
#include "protocol/amqp091/delivery_properties.h"
#include "protocol/amqp091/properties_table.h"
#include "protocol/mqtt/connections.h"
#include "protocol/mqtt/stored_properties.h"
#include "protocol/stomp/connections.h"
#include "protocol/stomp/properties.h"

namespace weir::app {
namespace {

amqp091::Settings amqp_settings(const Settings& settings) {
  amqp091::Settings own;
  own.frame_max = static_cast<std::uint32_t>(settings.amqp_frame_max);
  own.channel_max = static_cast<std::uint16_t>(settings.amqp_channel_max);
  own.heartbeat_s = static_cast<std::uint16_t>(settings.amqp_heartbeat_s);
  own.handshake_timeout_ms = static_cast<std::uint32_t>(settings.amqp_handshake_timeout_ms);
  own.consumer_timeout_ms = settings.amqp_consumer_timeout_ms;
  own.max_message_bytes = settings.message_bytes_max;
  if (settings.tls_login_from == "common_name") own.certificate_login = CertificateLogin::common_name;
  return own;
}

stomp::Settings stomp_settings(const Settings& settings) {
  stomp::Settings own;
  own.default_vhost = settings.default_vhost;
  own.handshake_timeout_ms = static_cast<std::uint32_t>(settings.amqp_handshake_timeout_ms);
  own.max_message_bytes = settings.message_bytes_max;
  if (settings.tls_login_from == "common_name") own.certificate_login = CertificateLogin::common_name;
  return own;
}

mqtt::Settings mqtt_settings(const Settings& settings) {
  mqtt::Settings own;
  own.default_vhost = settings.default_vhost;
  own.exchange = settings.mqtt_exchange;
  own.anonymous_user = settings.mqtt_anonymous_user;
  own.handshake_timeout_ms = static_cast<std::uint32_t>(settings.amqp_handshake_timeout_ms);
  own.max_message_bytes = settings.message_bytes_max;
  if (settings.mqtt_session_expiry_s_max != 0)
    own.session_expiry_s_max = static_cast<std::uint32_t>(settings.mqtt_session_expiry_s_max);
  own.receive_maximum = static_cast<std::uint16_t>(settings.mqtt_receive_maximum);
  own.session_bytes_max = settings.mqtt_session_bytes_max;
  own.sys_interval_s = static_cast<std::uint32_t>(settings.mqtt_sys_interval_s);
  if (settings.tls_login_from == "common_name") own.certificate_login = CertificateLogin::common_name;
  return own;
}

broker::Table properties_of(broker::NativeForm form, Bytes properties) {
  switch (form) {
    case broker::NativeForm::amqp091: return amqp091::properties_table(properties);
    case broker::NativeForm::mqtt: return mqtt::properties_table(properties);
    case broker::NativeForm::stomp: return stomp::properties_table(properties);
    default: return {};
  }
}

broker::Table headers_of(broker::NativeForm form, Bytes properties) {
  switch (form) {
    case broker::NativeForm::amqp091: return amqp091::headers_of(properties);
    case broker::NativeForm::mqtt: return mqtt::headers_of(properties);
    case broker::NativeForm::stomp: return stomp::headers_of(properties);
    default: return {};
  }
}

std::optional<std::string> property_of(broker::NativeForm form, Bytes properties, std::string_view name) {
  switch (form) {
    case broker::NativeForm::amqp091: return amqp091::property_of(properties, name);
    case broker::NativeForm::mqtt: return mqtt::property_of(properties, name);
    case broker::NativeForm::stomp: return stomp::property_of(properties, name);
    default: return std::nullopt;
  }
}

std::optional<std::string_view> header_text(broker::NativeForm form, Bytes properties,
                                            std::string_view name) {
  switch (form) {
    case broker::NativeForm::mqtt: return mqtt::header_text(properties, name);
    case broker::NativeForm::stomp: return stomp::header_text(properties, name);
    default: return amqp091::header_text(form, properties, name);
  }
}

}  // namespace

node::HeadersOf native_headers() {
  return {headers_of, property_of, properties_of, amqp091::own_properties, header_text};
}

std::unique_ptr<ProtocolService> make_amqp(node::Node& node, const Settings& settings,
                                           ConnectionTally& tally) {
  const amqp091::Settings own = amqp_settings(settings);
  return std::make_unique<ProtocolService>(
      node, "amqp", tally, [&](node::BrokerClient& client, ConnectionTally& shared) {
        return std::make_unique<amqp091::Connections>(client, own, &shared);
      });
}

std::unique_ptr<ProtocolService> make_stomp(node::Node& node, const Settings& settings,
                                            ConnectionTally& tally) {
  const stomp::Settings own = stomp_settings(settings);
  return std::make_unique<ProtocolService>(
      node, "stomp", tally, [&](node::BrokerClient& client, ConnectionTally& shared) {
        return std::make_unique<stomp::Connections>(client, own, &shared);
      });
}

std::unique_ptr<ProtocolService> make_mqtt(node::Node& node, const Settings& settings,
                                           ConnectionTally& tally) {
  const mqtt::Settings own = mqtt_settings(settings);
  const auto common = std::make_shared<mqtt::Common>(
      node.shards(),
      [&node](ShardId shard, std::function<void()> call) { node.loop(shard).post(std::move(call)); });
  return std::make_unique<ProtocolService>(
      node, "mqtt", tally, [&](node::BrokerClient& client, ConnectionTally& shared) {
        return std::make_unique<mqtt::Connections>(client, own, common, &shared);
      });
}

http::WebSocketOptions mqtt_web_socket(const Settings& settings) {
  http::WebSocketOptions options;
  options.sub_protocols = {"mqtt", "mqttv3.1"};
  options.sub_protocol_needed = true;
  options.takes_text = false;
  options.allow_origins = settings.web_socket_allow_origins;
  return options;
}

http::WebSocketOptions stomp_web_socket(const Settings& settings) {
  http::WebSocketOptions options;
  options.sub_protocols = {"v12.stomp", "v11.stomp", "v10.stomp"};
  options.allow_origins = settings.web_socket_allow_origins;
  return options;
}

}  // namespace weir::app
