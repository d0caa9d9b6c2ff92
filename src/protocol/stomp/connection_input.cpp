// From bytes to frames, and how a connection begins and ends.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/version.h"
#include "protocol/stomp/codec/stored_headers.h"
#include "protocol/stomp/connection.h"

namespace weir::stomp {

namespace {

constexpr std::string_view generated_prefix = "amq.gen-";

struct Beats {
  std::uint32_t sends_ms = 0, wants_ms = 0;  // of the client
};

// "x,y"; nullopt: something else.
std::optional<Beats> parse_beats(std::string_view text) {
  Beats beats;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, beats.sends_ms);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ',') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, beats.wants_ms);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  return beats;
}

std::uint32_t beat_ms(std::uint32_t asked_ms) {
  return asked_ms == 0 ? 0 : std::max(asked_ms, heart_beat_ms_min);
}

}  // namespace

FrameLimits Connection::frame_limits() const {
  if (phase_ == Phase::running) return {head_bytes_max, headers_max, settings_.max_message_bytes};
  return {connect_head_bytes_max, headers_max, 0};
}

// After an ERROR, what the peer still sends is thrown away.
void Connection::take_frames(Bytes input, Chunk* chunk) {
  while (phase_ < Phase::closing) {
    if (waiting()) return hold(input, chunk);
    frame_input_.reset();
    const FrameReader::Kind kind = reader_.next(input, chunk, frame_limits());
    if (kind == FrameReader::Kind::none) return;
    handle(kind, chunk);
    // It is looked at again when the answer comes, and the shard reads on meanwhile.
    if (waiting()) frame_input_ = ChunkRef::share(chunk);
  }
}

void Connection::handle(FrameReader::Kind kind, Chunk* chunk) {
  using Kind = FrameReader::Kind;
  switch (kind) {
    case Kind::none:
    case Kind::beat: return;
    case Kind::frame: return handle_frame(chunk);
    case Kind::head: return handle_head(chunk);
    case Kind::part: return take_large(reader_.body());
    case Kind::end: return finish_large();
    case Kind::error: return fail("Invalid frame", reader_.error());
  }
}

bool Connection::begins_connection() {
  const std::string_view command = reader_.command();
  if (command == "CONNECT" || command == "STOMP") return true;
  fail("Not connected", fmt::format("The first frame is CONNECT or STOMP, not {}", command));
  return false;
}

// The rest of the frame has yet to come.
void Connection::handle_head(Chunk* chunk) {
  if (phase_ != Phase::running) {
    begins_connection();
  } else if (reader_.command() == "SEND") {
    begin_send(chunk, true);
  }
}

void Connection::handle_frame(Chunk* chunk) {
  const std::string_view command = reader_.command();
  if (phase_ != Phase::running) {
    if (begins_connection()) connect();
    return;
  }
  struct Handler {
    std::string_view command;
    void (*handle)(Connection& self, Chunk* chunk);
  };
  static constexpr std::array handlers = std::to_array<Handler>({
      {"SEND", [](Connection& self, Chunk* its_chunk) { self.begin_send(its_chunk, false); }},
      {"ACK", [](Connection& self, Chunk*) { self.settle(true); }},
      {"NACK", [](Connection& self, Chunk*) { self.settle(false); }},
      {"SUBSCRIBE", [](Connection& self, Chunk*) { self.subscribe(); }},
      {"UNSUBSCRIBE", [](Connection& self, Chunk*) { self.unsubscribe(); }},
      {"BEGIN", [](Connection& self, Chunk*) { self.begin_transaction(); }},
      {"COMMIT", [](Connection& self, Chunk*) { self.commit_transaction(); }},
      {"ABORT", [](Connection& self, Chunk*) { self.abort_transaction(); }},
      {"DISCONNECT", [](Connection& self, Chunk*) { self.disconnect(); }},
  });
  const auto* const found = std::find_if(handlers.begin(), handlers.end(),
                                         [&](const Handler& one) { return one.command == command; });
  if (found != handlers.end()) return found->handle(*this, chunk);
  if (command == "CONNECT" || command == "STOMP")
    return fail("Already connected", "A connection is opened by one CONNECT frame.");
  fail("Bad command", fmt::format("Could not interpret command {}", command));
}

std::string Connection::receipt_of() const { return std::string(reader_.headers().value_or("receipt", {})); }

// What has been asked for is done.
void Connection::finish_frame() {
  if (phase_ != Phase::running) return;
  if (const std::string receipt = receipt_of(); !receipt.empty()) send_receipt(receipt);
}

void Connection::ask(Then then) {
  then_ = std::move(then);
  wait(for_request);
}

bool Connection::may(broker::Access access, broker::DestinationKind kind, std::string_view resource) {
  const Status allowed = session_->authorize(access, kind, resource);
  if (!allowed) fail(allowed.error());
  return allowed.has_value();
}

// A queue of that name; none: one whose name the broker makes.
bool Connection::may_declare(std::string_view name, const broker::Table& arguments) {
  using Kind = broker::DestinationKind;
  const std::string_view queue = name.empty() ? generated_prefix : name;
  if (!may(broker::Access::configure, Kind::queue, queue)) return false;
  const broker::Value* const exchange = arguments.find("x-dead-letter-exchange");
  if (exchange == nullptr || exchange->as_string() == nullptr) return true;
  return may(broker::Access::read, Kind::queue, queue) &&
         may(broker::Access::write, Kind::exchange, *exchange->as_string());
}

// --- CONNECT ---

void Connection::connect() {
  const Headers& headers = reader_.headers();
  const auto version = highest_version(headers.value_or("accept-version", {}));
  if (!version) return fail("Version mismatch", fmt::format("Supported versions are {}", supported_versions));
  const auto beats = parse_beats(headers.value_or("heart-beat", "0,0"));
  if (!beats) return fail("Bad CONNECT", "heart-beat is not two numbers of milliseconds");
  version_ = *version;
  reader_.use(version_);
  beat_in_ms_ = beat_ms(beats->sends_ms);
  beat_out_ms_ = beat_ms(beats->wants_ms);
  // Clients put the name of the machine there: one that is no virtual host's stands for the default one.
  vhost_ = std::string(headers.value_or("host", settings_.default_vhost));
  if (client_.topology().find_vhost(vhost_) == nullptr) vhost_ = settings_.default_vhost;
  const runtime::PeerInfo& peer = stream_->peer();
  const auto login = headers.find("login");
  const bool vouched = !login && !peer.certificate_subject.empty();
  user_ = vouched ? user_of_certificate(settings_.certificate_login, peer.certificate_subject)
                  : std::string(login.value_or(std::string_view()));
  mechanism_ = vouched ? "certificate" : "login";
  if (user_.empty()) return fail("Bad CONNECT", "Missing login or passcode header(s).");
  phase_ = Phase::securing;
  authenticate({.user = user_,
                .password = std::string(headers.value_or("passcode", {})),
                .loopback = peer.loopback,
                .vouched = vouched,
                .protocol = node::Protocol::stomp});
}

void Connection::on_identity(Status known) {
  if (phase_ != Phase::securing) return;
  if (!known) return fail("Bad CONNECT", fmt::format("Access refused for user '{}'", user_));
  start_session();
}

void Connection::start_session() {
  auto session = client_.open_session({.user = user_,
                                       .vhost = vhost_,
                                       .protocol = fmt::format("STOMP {}", to_string(version_)),
                                       .client = {},
                                       .peer = stream_->peer(),
                                       .grants = std::move(identity_.grants),
                                       .expires_ms = identity_.expires_ms,
                                       .connection_name = {},
                                       .auth_mechanism = std::string(mechanism_),
                                       .properties = {}},
                                      *this);
  if (!session) {
    const bool refused = session.error().code == ErrorCode::access_refused;
    return fail("Bad CONNECT", refused ? fmt::format("Virtual host '{}' access denied", vhost_)
                                       : std::string(session.error().message));
  }
  if (phase_ != Phase::securing) return;  // the broker wanted it closed while it was opened
  session_ = std::move(*session);
  if (const Status opened = session_->open_channel(1); !opened) return fail(opened.error());
  begin_meter();
  channel_meter_.begin(channel_counts_, now_ms());
  phase_ = Phase::running;
  no_deadline();
  session_name_ = fmt::format("session-{:016x}", owner_.names().next());
  write(fmt::format("CONNECTED\nserver:Weir/{}\nsession:{}\nheart-beat:{},{}\nversion:{}\n\n{}",
                    weir::version, session_name_, beat_out_ms_, beat_in_ms_, to_string(version_), '\0'));
  if (beat_in_ms_ != 0) client_.timers().arm(beat_in_, 2ULL * beat_in_ms_);
  if (beat_out_ms_ != 0) client_.timers().arm(beat_out_, std::max(1U, beat_out_ms_ / 2));
  log_connection_authenticated(logged());
}

// Its receipt says that all before it is done: also that what was sent is safe, asked for or not.
void Connection::disconnect() {
  last_receipt_ = receipt_of();
  note_end(LogLevel::info, "DISCONNECT");
  transactions_.clear();
  drop_subscriptions();
  wait(for_request);  // nothing more is read
  client_.timers().cancel(beat_in_);
  end_in(disconnect_timeout_ms);
  leave_when_safe();
}

void Connection::leave_when_safe() {
  if (!last_receipt_ || phase_ != Phase::running || confirmed_up_to_ < published_seq_) return;
  if (sends_bodies()) return;  // a message that has begun to leave leaves as a whole
  if (!last_receipt_->empty()) send_receipt(*last_receipt_);
  release_session();
  phase_ = Phase::closing;
  end_after(close_delay_ms);
}

}  // namespace weir::stomp
