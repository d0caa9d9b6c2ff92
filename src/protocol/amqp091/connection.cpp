#include "protocol/amqp091/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/amqp091/errors.h"

namespace weir::amqp091 {

namespace {
// Two missed intervals, looked at twice in each.
constexpr unsigned silent_ticks_max = 4;
}  // namespace

Connection::Connection(node::BrokerClient& client, std::unique_ptr<runtime::ByteStream> stream,
                       const Settings& settings, ConnectionOwner& owner)
    : client_(client),
      settings_(settings),
      owner_(owner),
      stream_(std::move(stream)),
      output_(owner.output_blocks()) {}

Connection::~Connection() {
  release_session();
  client_.forget_turn_end(*this);
  session_.reset();
  stream_->close();
}

void Connection::open() {
  client_.timers().arm(deadline_, settings_.handshake_timeout_ms);
  opened_ns_ = client_.clock().monotonic_ns();
  log_connection_opened(logged());
  stream_->open(*this);
}

std::string_view Connection::name_of(Phase phase) {
  switch (phase) {
    case Phase::header: return "header";
    case Phase::starting: return "starting";
    case Phase::securing: return "securing";
    case Phase::tuning: return "tuning";
    case Phase::opening: return "opening";
    case Phase::running: return "running";
    case Phase::closing: return "closing";
    case Phase::closed: return "closed";
    case Phase::ended: return "ended";
  }
  return "unknown";
}

ConnectionStatus Connection::status() const {
  return {
      .user = user_,
      .vhost = vhost_,
      .peer = stream_->peer(),
      .client = peer_properties_,
      .state = name_of(phase_),
      .channels = channels_.size(),
      .consumers = consumers_.size(),
      .frame_max = frame_max_,
      .heartbeat_s = heartbeat_s_,
      .blocked = (waits_ & for_publish_flow) != 0,
  };
}

// --- the end ---

void Connection::fail(ReplyCode code, std::string_view text, MethodId culprit) {
  if (phase_ >= Phase::closing) return;
  const std::string full = full_reply_text(code, text);
  note_end(LogLevel::warning, full);
  client_.count_error(node::Protocol::amqp091, number_of(code), true);
  release_session();
  send(0, ConnectionClose{number_of(code), full, culprit.class_id, culprit.method_id});
  phase_ = Phase::closing;
  end_after(close_ok_timeout_ms);
  waits_ = 0;
  if (!handling_input_) resume_input();
}

// The stream's bytes have lost their meaning: what the peer still sends is thrown away.
void Connection::lose_framing(const WireError& error) {
  if (phase_ >= Phase::closing) return end();
  fail(error.code, error.text, {});
  deaf_ = true;
  end_after(silent_close_delay_ms);
}

void Connection::refuse_protocol() {
  note_end(LogLevel::warning, "another protocol, or another version of it");
  std::copy(std::begin(protocol_header), std::end(protocol_header), output_.reserve(protocol_header_bytes));
  output_.commit(protocol_header_bytes);
  after_output();
  phase_ = Phase::closed;
  deaf_ = true;
}

void Connection::shut_down(std::string_view reason) {
  if (phase_ < Phase::running) {
    note_end(LogLevel::info, std::string(reason));
    return end();
  }
  fail(ReplyCode::connection_forced, reason, {});
}

void Connection::abort() {
  note_end(LogLevel::warning, "connection.close was not answered in time");
  end();
}

void Connection::end_after(std::uint32_t delay_ms) {
  client_.timers().cancel(heartbeat_);
  client_.timers().arm(deadline_, delay_ms);
}

// Gives back all that the connection holds of the broker. The objects stay until the end of the turn: this is called
// from inside of their functions.
void Connection::release_session() {
  if (session_ == nullptr || session_ending_) return;
  for (auto& [number, channel] : channels_) {
    channel->close_down();
    count_messages(*channel);
  }
  requesting_ = nullptr;
  drop_bodies();
  session_ending_ = true;
  ask_turn_end();
}

void Connection::end() {
  if (phase_ == Phase::ended) return;
  release_session();
  phase_ = Phase::ended;
  client_.timers().cancel(deadline_);
  client_.timers().cancel(heartbeat_);
  client_.timers().cancel(resume_);
  client_.timers().cancel(login_);
  output_.clear();
  held_.clear();
  log_end();
  stream_->close();
  owner_.on_ended(*this);
}

void Connection::on_closed(const Error& reason) {
  note_end(LogLevel::info, "without connection.close: " + reason.message);
  end();
}

// --- timers ---

// Of the handshake, of close-ok, of a delayed end: whatever the phase waits for.
void Connection::on_deadline() {
  if (phase_ < Phase::running)
    note_end(LogLevel::warning, fmt::format("handshake timeout in state {}", name_of(phase_)));
  end();
}

void Connection::on_heartbeat() {
  client_.timers().arm(heartbeat_, heartbeat_s_ * 500U);
  // While its socket is not read, nothing can be known of the peer.
  const bool heard = received_bytes_ != received_bytes_before_ || paused_;
  silent_ticks_ = heard ? 0 : silent_ticks_ + 1;
  received_bytes_before_ = received_bytes_;
  if (silent_ticks_ >= silent_ticks_max) {
    note_end(LogLevel::warning, fmt::format("missed heartbeats, timeout {} s", heartbeat_s_));
    return end();
  }
  const bool idle = output_.sendable_bytes() == 0 && output_.sent_bytes() == sent_bytes_before_;
  sent_bytes_before_ = output_.sent_bytes();
  if (!idle) return;
  if (output_.has_gap()) {  // between two frames of a large body
    ChunkRef frame = ChunkRef::adopt(Chunk::make(frame_overhead_bytes));
    write_heartbeat_frame(frame->data());
    output_.fill(frame, {frame->data(), frame_overhead_bytes});
  } else {
    write_heartbeat_frame(output_.reserve(frame_overhead_bytes));
    output_.commit(frame_overhead_bytes);
  }
  sent_bytes_before_ += frame_overhead_bytes;  // a heartbeat does not spare us the next one
  ask_turn_end();
}

void Connection::on_resume() {
  if (phase_ != Phase::ended) wait_no_more(for_output);
}

// --- output ---

void Connection::on_output_high() {
  if (!write_blocked_) flush_output();
  if (output_.unsent_bytes() > output_high_bytes) be_congested();
  if (output_.unsent_bytes() > output_deaf_bytes && phase_ == Phase::running) wait(for_output);
}

void Connection::be_congested() {
  if (congested_ || session_ == nullptr || session_ending_) return;
  congested_ = true;
  session_->set_congested(true);
}

void Connection::flush_output() {
  if (phase_ == Phase::ended) return;
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
    if (session_ != nullptr && !session_ending_) session_->set_congested(false);
  }
}

void Connection::on_writable() {
  write_blocked_ = false;
  flush_output();
  if (phase_ == Phase::closed && output_.empty()) return end();
  if (output_.unsent_bytes() < output_low_bytes) wait_no_more(for_output);
}

void Connection::on_turn_end() {
  turn_end_asked_ = false;
  if (phase_ == Phase::ended && !session_ending_) return;
  for (Channel* const channel : confirming_) channel->write_confirms();
  confirming_.clear();
  if (session_ending_) {
    session_ending_ = false;
    unfinished_.clear();
    last_channel_ = nullptr;
    channels_.clear();
    session_.reset();
  }
  forgotten_.clear();
  if (phase_ != Phase::securing) authentication_.reset();
  if (!write_blocked_) flush_output();
  if (phase_ == Phase::closed && output_.empty()) return end();
  // Input is handled inside of a turn, not at its end.
  if ((waits_ & for_output) != 0 && output_.unsent_bytes() < output_low_bytes)
    client_.timers().arm(resume_, 0);
}

}  // namespace weir::amqp091
