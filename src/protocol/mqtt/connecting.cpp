// CONNECT: who it is, whether it may, and its session.
#include <fmt/format.h>

#include <functional>
#include <utility>

#include "broker/message_extras.h"
#include "protocol/common/certificate_login.h"
#include "protocol/mqtt/codec/decode.h"
#include "protocol/mqtt/codec/encode.h"
#include "protocol/mqtt/connection.h"
#include "protocol/mqtt/retained_stores.h"
#include "protocol/mqtt/stored_properties.h"

namespace weir::mqtt {

namespace {

constexpr std::string_view queue_prefix_of_sessions = "mqtt-subscription-";

KeptWill kept(const Will& will, std::uint64_t publisher) {
  KeptWill out;
  out.topic = will.topic;
  out.qos = will.qos;
  out.retain = will.retain;
  out.delay_s = will.properties.will_delay_s;
  out.payload.assign(will.payload.begin(), will.payload.end());
  append_stored(out.stored, {.qos = will.qos, .retain = will.retain, .publisher = publisher},
                will.properties);
  if (const auto expiry_s = will.properties.message_expiry_s) {
    broker::MessageExtras extras;
    extras.ttl_ms = static_cast<std::uint32_t>(std::min<std::uint64_t>(*expiry_s * 1'000ULL, UINT32_MAX));
    broker::append_extras(out.extras, extras);
  }
  return out;
}

}  // namespace

void Connection::refuse(ReasonCode code, std::string_view detail) {
  note_end(LogLevel::warning, fmt::format("{}: {}", to_string(code), detail));
  client_.count_error(node::Protocol::mqtt, number_of(code), true);
  Connack packet{.code = code};
  if (version_ == Version::v5 && problem_information_ && !detail.empty())
    packet.properties.reason_string = detail;
  send(packet);
  will_.reset();
  close_after_output();
}

void Connection::connect() {
  const Decoded<Connect> packet = decode_connect(reader_.body());
  if (!packet) {
    const auto version = answer_to_connect(reader_.body());
    const ReasonCode code = packet.error().code;
    // Before 5.0, CONNACK has no code for what is malformed; 3.1.1: [MQTT-3.1.4-1].
    const bool has_code = version == Version::v5 || code == ReasonCode::unsupported_protocol_version ||
                          code == ReasonCode::client_identifier_not_valid;
    if (!version || !has_code) return fail(packet.error());
    version_ = *version;
    return refuse(code, packet.error().text);
  }
  version_ = packet->version;
  reader_.use(version_);
  if (adopt(*packet)) log_in(*packet);
}

bool Connection::adopt(const Connect& packet) {
  const ConnectProperties& properties = packet.properties;
  problem_information_ = properties.request_problem_information;
  client_packet_bytes_ = properties.maximum_packet_bytes;
  keep_alive_s_ = packet.keep_alive_s;
  clean_start_ = packet.clean_start;
  alias_maximum_ = std::min(properties.topic_alias_maximum, settings_.topic_aliases_max);
  receive_maximum_ = version_ == Version::v5 ? std::min(properties.receive_maximum, settings_.receive_maximum)
                                             : settings_.receive_maximum;
  // Before 5.0, a session that is not clean lasts for ever.
  session_expiry_s_ = version_ == Version::v5 ? properties.session_expiry_s
                      : clean_start_          ? 0
                                              : never_expires_s;
  session_expiry_s_ = std::min(session_expiry_s_, settings_.session_expiry_s_max);
  if (properties.authentication_method) {
    refuse(ReasonCode::bad_authentication_method, "no method of enhanced authentication is offered");
    return false;
  }
  if (packet.client_id.size() > client_id_bytes_max) {
    refuse(ReasonCode::client_identifier_not_valid,
           fmt::format("the client identifier is longer than {} bytes", client_id_bytes_max));
    return false;
  }
  client_id_ = packet.client_id;
  assigned_id_ = client_id_.empty();
  if (assigned_id_) client_id_ = fmt::format("auto-{:016x}", owner_.names().next());
  client_hash_ = std::hash<std::string>()(client_id_);
  queue_ = std::string(queue_prefix_of_sessions) + client_id_;
  if (packet.will) {
    if (packet.will->topic.size() > topic_bytes_most) {
      refuse(ReasonCode::topic_name_invalid, "the will's topic is too long");
      return false;
    }
    will_ = kept(*packet.will, client_hash_);
  }
  return true;
}

void Connection::log_in(const Connect& packet) {
  const runtime::PeerInfo& peer = stream_->peer();
  vhost_ = settings_.default_vhost;
  node::Credentials credentials;
  credentials.loopback = peer.loopback;
  credentials.protocol = node::Protocol::mqtt;
  mechanism_ = "user name";
  if (packet.user_name) {
    std::string_view name = *packet.user_name;
    // "vhost:user", where there is such a virtual host.
    const std::size_t colon = name.rfind(':');
    if (colon != std::string_view::npos && client_.topology().find_vhost(name.substr(0, colon)) != nullptr) {
      vhost_ = name.substr(0, colon);
      name.remove_prefix(colon + 1);
    }
    credentials.user = name;
    credentials.password = packet.password ? std::string(as_text(*packet.password)) : std::string();
  } else if (!peer.certificate_subject.empty()) {
    credentials.user = user_of_certificate(settings_.certificate_login, peer.certificate_subject);
    credentials.vouched = true;
    mechanism_ = "certificate";
  } else if (!settings_.anonymous_user.empty()) {
    credentials.user = settings_.anonymous_user;
    credentials.vouched = true;
    mechanism_ = "anonymous";
  }
  user_ = credentials.user;
  if (user_.empty()) return refuse(ReasonCode::bad_user_name_or_password, "no user name was given");
  phase_ = Phase::authenticating;
  authenticate(std::move(credentials));
}

void Connection::on_identity(Status known) {
  if (phase_ != Phase::authenticating) return;
  if (!known) {
    const bool wrong = known.error().code == ErrorCode::access_refused;
    return refuse(wrong ? ReasonCode::bad_user_name_or_password : ReasonCode::server_busy, {});
  }
  open_session();
}

void Connection::open_session() {
  auto session = client_.open_session({.user = user_,
                                       .vhost = vhost_,
                                       .protocol = fmt::format("MQTT {}", to_string(version_)),
                                       .client = client_id_,
                                       .client_id = client_id_,
                                       .peer = stream_->peer(),
                                       .grants = identity_.grants,
                                       .expires_ms = identity_.expires_ms,
                                       .connection_name = client_id_,
                                       .auth_mechanism = std::string(mechanism_),
                                       .properties = {}},
                                      *this);
  if (!session) {
    const bool limit = session.error().code == ErrorCode::limit_exceeded;
    return refuse(limit ? ReasonCode::quota_exceeded : ReasonCode::not_authorized, session.error().message);
  }
  if (phase_ != Phase::authenticating) return;  // the broker wanted it closed while it was opened
  session_ = std::move(*session);
  if (const Status opened = session_->open_channel(1); !opened)
    return refuse(ReasonCode::quota_exceeded, opened.error().message);
  begin_meter();
  channel_meter_.begin(channel_counts_, now_ms());
  phase_ = Phase::claiming;
  wait(for_request);
  claimed_ = true;
  claim_ = owner_.directory().claim(client_.shard(), vhost_, client_id_, user_, clean_start_, *this);
}

void Connection::on_id_refused() {
  if (phase_ == Phase::claiming)
    refuse(ReasonCode::client_identifier_not_valid, "the client identifier is in use by another user");
}

void Connection::on_taken_over() {
  if (phase_ < Phase::running) return refuse(ReasonCode::session_taken_over, {});
  fail(ReasonCode::session_taken_over, "the client has connected again");
}

void Connection::on_id_granted() {
  if (phase_ != Phase::claiming) return;
  phase_ = Phase::restoring;
  if (!will_ || !will_->retain || owner_.retained().is_there(vhost_)) return restore();
  // A place for what the will may leave behind.
  owner_.retained().make(vhost_, alive_, [this] {
    if (phase_ == Phase::restoring) restore();
  });
}

void Connection::accept() {
  phase_ = Phase::running;
  no_deadline();
  Connack packet{.session_present = session_present_};
  if (version_ == Version::v5) {
    ConnackProperties& properties = packet.properties;
    properties.session_expiry_s = session_expiry_s_;
    properties.receive_maximum = settings_.receive_maximum;
    properties.topic_alias_maximum = settings_.topic_aliases_max;
    properties.maximum_packet_bytes = static_cast<std::uint32_t>(packet_limits().packet_bytes);
    if (assigned_id_) properties.assigned_client_id = client_id_;
  }
  send(packet);
  last_packet_ms_ = client_.timers().now_ms();
  if (keep_alive_s_ != 0) client_.timers().arm(keep_alive_, keep_alive_s_ * 1'500ULL);
  log_connection_authenticated(logged());
  watch_sys();
}

}  // namespace weir::mqtt
