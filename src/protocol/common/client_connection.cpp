#include "protocol/common/client_connection.h"

#include <utility>

#include "base/assert.h"

namespace weir {

namespace {
// A large body on its way out: pieces asked for at a time, and unsent bytes of it beyond which no more are.
constexpr unsigned pieces_ahead_max = 2;
constexpr std::size_t outgoing_body_bytes = 512U << 10;
}  // namespace

ClientConnection::ClientConnection(node::BrokerClient& client, std::unique_ptr<runtime::ByteStream> stream,
                                   Shared shared)
    : client_(client),
      stream_(std::move(stream)),
      output_(shared.blocks),
      login_delays_(shared.login_delays) {}

ClientConnection::~ClientConnection() { WEIR_ASSERT(session_ == nullptr); }

void ClientConnection::close_down() {
  release_session();
  client_.forget_turn_end(*this);
  forget_session();
  session_.reset();
  stream_->close();
}

void ClientConnection::open() {
  client_.timers().arm(deadline_, handshake_timeout_ms());
  opened_ns_ = client_.clock().monotonic_ns();
  log_connection_opened(logged());
  stream_->open(*this);
}

// --- input ---

void ClientConnection::on_readable() {
  while (waits_ == 0 && !ended_) {
    node::ReadBuffer& buffer = client_.read_buffer();
    const MutableBytes room = buffer.reserve(read_bytes_min);
    const auto count = stream_->read(room);
    if (!count || *count == 0) return;  // after an error, on_closed follows
    received_bytes_ += *count;
    ++reads_;
    Chunk* const chunk = buffer.chunk();
    buffer.commit(*count);
    take_input(room.first(*count), chunk);
  }
}

void ClientConnection::wait(Wait reason) {
  waits_ |= reason;
  if (paused_) return;
  paused_ = true;
  stream_->pause_reading();
}

void ClientConnection::wait_no_more(Wait reason) {
  if ((waits_ & reason) == 0) return;
  waits_ &= static_cast<std::uint8_t>(~reason);
  if (waits_ == 0 && !handling_input_) resume_input();
}

void ClientConnection::wait_for_nothing() {
  waits_ = 0;
  if (!handling_input_) resume_input();
}

void ClientConnection::resume_input() {
  // Also where nothing is held: what was taken before may have its end yet to be handled.
  ChunkRef chunk;
  const Bytes input = held_.take(chunk);
  take_input(input, chunk.get());
}

void ClientConnection::take_input(Bytes input, Chunk* chunk) {
  handling_input_ = true;
  take_frames(input, chunk);
  handling_input_ = false;
  // A wait that ended while the input was being handled left the stream paused.
  if (waits_ != 0 || !paused_ || ended_) return;
  paused_ = false;
  stream_->resume_reading();
}

// --- logging in ---

void ClientConnection::authenticate(node::Credentials credentials) {
  authenticating_ = true;
  wait(for_authentication);
  credentials_ = std::move(credentials);
  const std::uint64_t delay_ms =
      login_delays_.delay_ms(stream_->peer().address, user_, client_.timers().now_ms());
  if (delay_ms == 0) return log_in();
  client_.timers().arm(login_, delay_ms);
}

void ClientConnection::log_in() {
  if (!authenticating_) return;
  auto pending = client_.authenticate(
      std::exchange(credentials_, {}),
      [this](Result<node::Identity> identity) { on_authenticated(std::move(identity)); });
  authentication_ = std::move(pending);
}

void ClientConnection::on_authenticated(Result<node::Identity> identity) {
  if (!std::exchange(authenticating_, false)) return;
  const bool right = identity.has_value();
  // That too much is going on says nothing of the password.
  if (right || identity.error().code == ErrorCode::access_refused)
    login_delays_.note(stream_->peer().address, user_, right, client_.timers().now_ms());
  if (right) {
    identity_ = std::move(*identity);
    user_ = identity_.user;  // a token says itself whose it is
    on_identity({});
  } else {
    log_login_refused(logged(), identity.error().message);
    on_identity(std::unexpected(std::move(identity.error())));
  }
  wait_no_more(for_authentication);
}

// --- output ---

void ClientConnection::on_output_high() {
  if (!write_blocked_) flush_output();
  if (output_.unsent_bytes() > output_high_bytes) be_congested();
  if (output_.unsent_bytes() > output_deaf_bytes && running()) wait(for_output);
}

void ClientConnection::be_congested() {
  if (congested_ || !has_session()) return;
  congested_ = true;
  session_->set_congested(true);
}

void ClientConnection::flush_output() {
  if (ended_) return;
  if (!output_.empty()) ++writes_;
  const auto flushed = output_.flush(*stream_);
  if (!flushed) {
    // on_closed follows.
    output_.clear();
    write_blocked_ = true;
    return;
  }
  write_blocked_ = !*flushed;
  if (!bodies_.empty()) ask_for_pieces();
  if (congested_ && output_.unsent_bytes() < output_low_bytes && bodies_.empty()) {
    congested_ = false;
    if (has_session()) session_->set_congested(false);
  }
}

void ClientConnection::on_writable() {
  write_blocked_ = false;
  flush_output();
  if (leaving() && output_.empty()) return end();
  if (output_.unsent_bytes() < output_low_bytes) wait_no_more(for_output);
}

void ClientConnection::on_turn_end() {
  turn_end_asked_ = false;
  if (ended_ && !session_ending_) return;
  before_flush();
  if (session_ending_) {
    session_ending_ = false;
    forget_session();
    session_.reset();
  }
  if (!authenticating_) authentication_.reset();
  if (!write_blocked_) flush_output();
  if (leaving() && output_.empty()) return end();
  // Input is handled inside of a turn, not at its end.
  if ((waits_ & for_output) != 0 && output_.unsent_bytes() < output_low_bytes)
    client_.timers().arm(resume_, 0);
}

void ClientConnection::on_resume() {
  if (!ended_) wait_no_more(for_output);
}

// --- large bodies: read piece by piece as the socket takes them ---

void ClientConnection::begin_body(node::BodyNumber body, std::uint64_t bytes, std::uint32_t of) {
  output_.open_gap();
  bodies_.push_back({body, bytes, of, 0});
  be_congested();  // nothing more is wanted meanwhile
  if (bodies_.size() == 1) ask_for_pieces();
}

void ClientConnection::ask_for_pieces() {
  const std::size_t piece_bytes = client_.body_sizes().piece_bytes;
  OutgoingBody& body = bodies_.front();
  // There are at least as many pieces left as full ones would be.
  while (body.asked < pieces_ahead_max && body.asked * piece_bytes < body.left_bytes &&
         output_.sendable_bytes() + body.asked * piece_bytes < outgoing_body_bytes) {
    ++body.asked;
    session_->read_body(body.body);
  }
}

void ClientConnection::on_body_piece(node::BodyNumber number, Result<node::BodyPiece> piece) {
  if (bodies_.empty() || bodies_.front().body != number) return;
  OutgoingBody& body = bodies_.front();
  if (!piece) return on_body_lost(piece.error().message);
  if (piece->bytes.size() > body.left_bytes) return on_body_lost("it has another size");
  --body.asked;
  body.left_bytes -= piece->bytes.size();
  write_piece(body.of, *piece);
  const bool sent = body.left_bytes == 0;
  if (sent) {
    session_->close_body(number);
    bodies_.pop_front();
    output_.close_gap();
  }
  if (!bodies_.empty()) ask_for_pieces();
  after_output();
  if (sent) on_body_sent();
}

void ClientConnection::write_piece(std::uint32_t, const node::BodyPiece& piece) {
  output_.fill(ChunkRef::share(piece.chunk), piece.bytes);
}

void ClientConnection::drop_bodies() {
  output_.drop_behind_gaps();
  bodies_.clear();
}

// --- publishing ---

void ClientConnection::on_publish_flow(bool open, std::string_view alarm) {
  publish_open_ = open;
  alarm_ = alarm;
  if (running()) apply_publish_flow();
}

// Only who publishes is stopped.
void ClientConnection::apply_publish_flow() {
  if (publishing_stopped()) return wait(for_publish_flow);
  wait_no_more(for_publish_flow);
}

// --- the end ---

// The session and what refers to it stay until the end of the turn: this is called from inside of its functions.
void ClientConnection::release_session() {
  if (!has_session()) return;
  give_back();
  drop_bodies();
  session_ending_ = true;
  ask_turn_end();
}

void ClientConnection::end() {
  if (ended_) return;
  release_session();
  ended_ = true;
  authenticating_ = false;
  client_.timers().cancel(deadline_);
  client_.timers().cancel(resume_);
  client_.timers().cancel(login_);
  output_.clear();
  held_.clear();
  log_end();
  stream_->close();
  told_ended();
}

void ClientConnection::on_closed(const Error& reason) {
  note_end(LogLevel::info, std::string(how_lost()) + ": " + reason.message);
  end();
}

void ClientConnection::note_end(LogLevel level, std::string reason) {
  if (!end_reason_.empty()) return;
  end_level_ = level;
  end_reason_ = std::move(reason);
}

void ClientConnection::log_end() const {
  LoggedTraffic traffic = messages();
  traffic.duration_s = static_cast<double>(client_.clock().monotonic_ns() - opened_ns_) / 1e9;
  traffic.bytes_in = received_bytes_;
  traffic.bytes_out = output_.sent_bytes();
  log_connection_closed(logged(), end_level_, end_reason_, traffic);
}

// --- for those who look ---

Counters<node::ConnectionCount> ClientConnection::counts() const {
  using Count = node::ConnectionCount;
  Counters<Count> counts;
  counts[Count::recv_oct] = received_bytes_;
  counts[Count::recv_cnt] = reads_;
  counts[Count::send_oct] = output_.sent_bytes();
  counts[Count::send_cnt] = writes_;
  return counts;
}

void ClientConnection::describe_traffic(node::ConnectionFacts& facts) const {
  const bool alarmed = !publish_open_ && !alarm_.empty();
  facts.state = !running()                         ? "closing"
                : alarmed                          ? (published_ ? "blocked" : "blocking")
                : (waits_ & for_publish_flow) != 0 ? "flow"
                                                   : "running";
  facts.unsent_bytes = output_.unsent_bytes();
  facts.counts = counts();
  facts.rates = meter_.per_second(facts.counts, now_ms());
}

bool ClientConnection::heard() {
  return std::exchange(received_bytes_before_, received_bytes_) != received_bytes_ || paused_;
}

bool ClientConnection::silent() {
  const bool nothing_sent = std::exchange(sent_bytes_before_, output_.sent_bytes()) == output_.sent_bytes();
  return nothing_sent && output_.sendable_bytes() == 0;
}

}  // namespace weir
