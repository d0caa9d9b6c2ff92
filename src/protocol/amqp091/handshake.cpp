// Channel 0: the handshake, and connection.close.
#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "protocol/amqp091/connection.h"
#include "protocol/amqp091/errors.h"
#include "protocol/amqp091/mapping.h"
#include "protocol/common/peer_name.h"

namespace weir::amqp091 {

namespace {
constexpr std::string_view component = "amqp091";
}

void Connection::on_method0(Bytes payload) {
  const MethodId id = method_id_of(payload);
  const auto decoded = decode_method(payload);
  if (phase_ >= Phase::closing) {
    // A client that closes at the same time as we do gets its answer; all else is of no interest any more.
    if (decoded && std::holds_alternative<ConnectionClose>(*decoded)) send(0, ConnectionCloseOk{});
    if (decoded && std::holds_alternative<ConnectionCloseOk>(*decoded)) handle0(ConnectionCloseOk{});
    return;
  }
  if (!decoded) return fail(decoded.error().code, decoded.error().text, id);
  method0_ = id;
  std::visit([this](const auto& method) { handle0(method); }, *decoded);
}

void Connection::fail_unexpected() {
  fail(ReplyCode::channel_error, fmt::format("unexpected method in connection state {}", name_of(phase_)),
       method0_);
}

void Connection::send_start() {
  const auto properties = encode_server_properties(client_.node_name());
  send(0,
       ConnectionStart{.server_properties = {properties},
                       .mechanisms = {sasl_mechanisms_offered(!stream_->peer().certificate_subject.empty())},
                       .locales = {"en_US"}});
  phase_ = Phase::starting;
}

void Connection::handle0(const ConnectionStartOk& method) {
  if (phase_ != Phase::starting) return fail_unexpected();
  peer_properties_ = read_client_properties(method.client_properties);
  all_peer_properties_ = table_from_wire(method.client_properties);
  const runtime::PeerInfo& peer = stream_->peer();
  const auto mechanism = find_sasl_mechanism(method.mechanism, !peer.certificate_subject.empty());
  if (!mechanism) {
    return fail(ReplyCode::command_invalid,
                fmt::format("unknown authentication mechanism '{}'", method.mechanism), method0_);
  }
  mechanism_ = text_of(*mechanism);
  auto login = decode_sasl_response(*mechanism, method.response.value);
  if (!login) {
    return fail(ReplyCode::syntax_error,
                fmt::format("{} authentication: the response is not valid", mechanism_), method0_);
  }
  const bool vouched = *mechanism == SaslMechanism::external;
  if (vouched) login->user = user_of_certificate(settings_.certificate_login, peer.certificate_subject);
  user_ = login->user;
  phase_ = Phase::securing;
  authenticate({.user = std::move(login->user),
                .password = std::move(login->password),
                .loopback = peer.loopback,
                .vouched = vouched,
                .protocol = node::Protocol::amqp091});
}

void Connection::on_identity(Status known) {
  if (phase_ != Phase::securing) return;
  if (known) {
    send(0, ConnectionTune{settings_.channel_max, settings_.frame_max, settings_.heartbeat_s});
    phase_ = Phase::tuning;
    return;
  }
  if (peer_properties_.authentication_failure_close) {
    return fail(ReplyCode::access_refused,
                fmt::format("Login was refused using authentication mechanism {}. For details see the broker "
                            "logfile.",
                            mechanism_),
                {});
  }
  client_.count_error(node::Protocol::amqp091, number_of(ReplyCode::access_refused), true);
  // An older client takes the end of the socket for the answer; after a while, so that guessing is slow.
  note_end(LogLevel::warning, "login refused");
  phase_ = Phase::closing;
  deaf_ = true;
  end_after(silent_close_delay_ms);
}

// False, and the connection failed, when a value is out of what was offered. 0 means "no limit", which we don't offer.
bool Connection::tuned_to(std::string_view field, std::uint32_t value, std::uint32_t least,
                          std::uint32_t most) {
  const bool too_low = value != 0 && value < least;
  const bool too_high = most != 0 && (value == 0 || value > most);
  if (!too_low && !too_high) return true;
  fail(ReplyCode::not_allowed,
       fmt::format("negotiated {} = {}{} is {} than the {} allowed value ({})", field, value,
                   value == 0 ? " (no limit)" : "", too_low ? "lower" : "higher",
                   too_low ? "minimum" : "maximum", too_low ? least : most),
       ConnectionTune::info.id);
  return false;
}

void Connection::handle0(const ConnectionTuneOk& method) {
  if (phase_ != Phase::tuning) return fail_unexpected();
  if (!tuned_to("frame_max", method.frame_max, frame_max_lowest, settings_.frame_max)) return;
  if (!tuned_to("channel_max", method.channel_max, 1, settings_.channel_max)) return;
  frame_max_ = method.frame_max;
  channel_max_ = method.channel_max;
  heartbeat_s_ = method.heartbeat_s;
  phase_ = Phase::opening;
  if (heartbeat_s_ != 0) client_.timers().arm(heartbeat_, heartbeat_s_ * 500U);
}

void Connection::handle0(const ConnectionOpen& method) {
  if (phase_ != Phase::opening) return fail_unexpected();
  vhost_ = std::string(method.virtual_host);
  std::string described = peer_properties_.product;
  if (!peer_properties_.connection_name.empty()) described += " " + peer_properties_.connection_name;
  auto session = client_.open_session({.user = user_,
                                       .vhost = vhost_,
                                       .protocol = "AMQP 0-9-1",
                                       .client = std::move(described),
                                       .peer = stream_->peer(),
                                       .grants = std::move(identity_.grants),
                                       .expires_ms = identity_.expires_ms,
                                       .connection_name = peer_properties_.connection_name,
                                       .auth_mechanism = std::string(mechanism_),
                                       .properties = std::exchange(all_peer_properties_, {})},
                                      *this);
  if (!session) return fail_open(session.error());
  if (phase_ != Phase::opening) return;  // the broker wanted it closed while it was opened
  session_ = std::move(*session);
  begin_meter();
  phase_ = Phase::running;
  no_deadline();
  send(0, ConnectionOpenOk{});
  log_connection_authenticated(logged());
}

void Connection::fail_open(const Error& error) {
  if (error.code == ErrorCode::not_found) {
    return fail(ReplyCode::not_allowed, fmt::format("vhost {} not found", vhost_), method0_);
  }
  if (error.code == ErrorCode::access_refused) {
    return fail(ReplyCode::not_allowed,
                fmt::format("access to vhost '{}' refused for user '{}'", vhost_, user_), method0_);
  }
  const bool limit = error.code == ErrorCode::limit_exceeded;
  fail(limit ? ReplyCode::not_allowed : reply_code_of(error.code), error.message, method0_);
}

// At any time: a client may change its mind during the handshake.
void Connection::handle0(const ConnectionClose& method) {
  note_end(LogLevel::info, fmt::format("closed by the client: {} {}", method.reply_code, method.reply_text));
  release_session();
  send(0, ConnectionCloseOk{});
  phase_ = Phase::closed;
  end_after(close_ok_timeout_ms);
}

void Connection::handle0(const ConnectionCloseOk&) {
  if (phase_ != Phase::closing) return fail_unexpected();
  phase_ = Phase::closed;
  ask_turn_end();
}

void Connection::handle0(const ConnectionUpdateSecret& method) {
  if (phase_ != Phase::running) return fail_unexpected();
  if (const Status renewed = session_->renew(method.new_secret.value); !renewed) {
    log_warning(component, "connection from {}: the new secret of user '{}' is refused: {}",
                peer_name(stream_->peer(), peer_properties_.connection_name), user_, renewed.error().message);
    return fail(ReplyCode::not_allowed, "New secret was refused by one of the backends", {});
  }
  send(0, ConnectionUpdateSecretOk{});
}

}  // namespace weir::amqp091
