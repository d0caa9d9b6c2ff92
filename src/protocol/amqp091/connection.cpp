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
    : ClientConnection(client, std::move(stream), owner.shared()), settings_(settings), owner_(owner) {}

Connection::~Connection() { close_down(); }

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
      .blocked = publishing_stopped(),
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
  wait_for_nothing();
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
  end_in(delay_ms);
}

void Connection::give_back() {
  for (auto& [number, channel] : channels_) {
    channel->close_down();
    count_messages(*channel);
  }
  requesting_ = nullptr;
}

void Connection::forget_session() {
  unfinished_.clear();
  last_channel_ = nullptr;
  channels_.clear();
}

void Connection::before_flush() {
  for (Channel* const channel : confirming_) channel->write_confirms();
  confirming_.clear();
  forgotten_.clear();
}

void Connection::told_ended() {
  phase_ = Phase::ended;
  client_.timers().cancel(heartbeat_);
  owner_.on_ended(*this);
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
  silent_ticks_ = heard() ? 0 : silent_ticks_ + 1;
  if (silent_ticks_ >= silent_ticks_max) {
    note_end(LogLevel::warning, fmt::format("missed heartbeats, timeout {} s", heartbeat_s_));
    return end();
  }
  if (!silent()) return;
  if (output_.has_gap()) {  // between two frames of a large body
    ChunkRef frame = ChunkRef::adopt(Chunk::make(frame_overhead_bytes));
    write_heartbeat_frame(frame->data());
    output_.fill(frame, {frame->data(), frame_overhead_bytes});
  } else {
    write_heartbeat_frame(output_.reserve(frame_overhead_bytes));
    output_.commit(frame_overhead_bytes);
  }
  not_silent_by(frame_overhead_bytes);  // a heartbeat does not spare us the next one
  ask_turn_end();
}

}  // namespace weir::amqp091
