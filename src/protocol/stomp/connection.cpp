#include "protocol/stomp/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "protocol/stomp/codec/stored_headers.h"

namespace weir::stomp {

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

// --- the end ---

// "The server MAY send ERROR frames if something goes wrong. In this case, it MUST then close the connection just after."
void Connection::fail(std::string_view message, std::string_view detail) {
  if (phase_ >= Phase::closing) return;
  const std::string receipt = phase_ == Phase::running ? receipt_of() : std::string();
  note_end(LogLevel::warning, fmt::format("{}: {}", message, detail));
  client_.count_error(node::Protocol::stomp, 0, true);
  // In the middle of a large message, what comes next would pass for a part of it.
  if (output_.has_gap()) return end();
  release_session();
  const std::string body = std::string(detail) + "\n";
  text_ = "ERROR\n";
  append_header(text_, "message", message, Version::v1_1);
  text_ += "content-type:text/plain\n";
  text_ += fmt::format("version:{}\n", supported_versions);
  if (!receipt.empty()) append_header(text_, "receipt-id", receipt, version_);
  text_ += fmt::format("content-length:{}\n\n", body.size());
  text_ += body;
  text_ += '\0';
  write(text_);
  phase_ = Phase::closing;
  end_after(close_delay_ms);
}

void Connection::fail(const Error& error) {
  switch (error.code) {
    case ErrorCode::not_found: return fail("not_found", error.message);
    case ErrorCode::access_refused: return fail("access_refused", error.message);
    case ErrorCode::precondition_failed:
    case ErrorCode::inequivalent: return fail("precondition_failed", error.message);
    case ErrorCode::resource_locked: return fail("resource_locked", error.message);
    case ErrorCode::limit_exceeded: return fail("limit_exceeded", error.message);
    case ErrorCode::not_implemented: return fail("not_implemented", error.message);
    default: return fail("Processing error", error.message);
  }
}

void Connection::shut_down(std::string_view reason) {
  if (phase_ < Phase::running) return end();
  fail("Connection closed", reason);
}

void Connection::end_after(std::uint32_t delay_ms) {
  client_.timers().cancel(beat_in_);
  client_.timers().cancel(beat_out_);
  client_.timers().arm(deadline_, delay_ms);
}

// Gives back all that the connection holds of the broker. The session stays until the end of the turn: this is called
// from inside of its functions.
void Connection::release_session() {
  if (session_ == nullptr || session_ending_) return;
  drop_subscriptions();
  then_ = nullptr;
  drop_bodies();
  session_ending_ = true;
  ask_turn_end();
}

// What they have goes back.
void Connection::drop_subscriptions() {
  for (auto& [name, transaction] : transactions_) put_back(transaction.settled);
  subscriptions_.for_each([&](Subscription& subscription) {
    session_->drop_consumer(subscription.number);
    subscription.unacked.take_all([&](const Unacked& one) {
      session_->settle(one.consumer, one.queue, one.seq, node::Outcome::failed);
    });
  });
}

void Connection::end() {
  if (phase_ == Phase::ended) return;
  release_session();
  phase_ = Phase::ended;
  client_.timers().cancel(deadline_);
  client_.timers().cancel(beat_in_);
  client_.timers().cancel(beat_out_);
  client_.timers().cancel(resume_);
  client_.timers().cancel(login_);
  output_.clear();
  held_.clear();
  log_end();
  stream_->close();
  owner_.on_ended(*this);
}

void Connection::on_closed(const Error& reason) {
  note_end(LogLevel::info, "without DISCONNECT: " + reason.message);
  end();
}

// --- timers ---

// Of the handshake, of what leaves before the end.
void Connection::on_deadline() {
  if (phase_ < Phase::running) note_end(LogLevel::warning, "no CONNECT came in time");
  end();
}

// Twice in the time in which something has to come.
void Connection::on_beat_in() {
  // While its socket is not read, nothing can be known of the peer.
  const bool heard = received_bytes_ != received_bytes_before_ || paused_;
  received_bytes_before_ = received_bytes_;
  if (heard) return client_.timers().arm(beat_in_, 2ULL * beat_in_ms_);
  note_end(LogLevel::warning, fmt::format("missed heart-beats: nothing came for {} ms", 2ULL * beat_in_ms_));
  end();
}

void Connection::on_beat_out() {
  client_.timers().arm(beat_out_, std::max(1U, beat_out_ms_ / 2));
  const bool idle = output_.sendable_bytes() == 0 && output_.sent_bytes() == sent_bytes_before_;
  sent_bytes_before_ = output_.sent_bytes();
  // In a large message, a line's end would be one of its bytes.
  if (!idle || output_.has_gap()) return;
  write("\n");
  sent_bytes_before_ += 1;  // a beat does not spare us the next one
}

void Connection::on_resume() {
  if (phase_ != Phase::ended) wait_no_more(for_output);
}

// --- output ---

void Connection::write(std::string_view bytes) {
  std::memcpy(output_.reserve(bytes.size()), bytes.data(), bytes.size());
  output_.commit(bytes.size());
  after_output();
}

void Connection::send_receipt(std::string_view id) {
  text_ = "RECEIPT\n";
  append_header(text_, "receipt-id", id, version_);
  text_ += '\n';
  text_ += '\0';
  write(text_);
}

void Connection::after_output() {
  ask_turn_end();
  if (output_.unsent_bytes() > output_high_bytes) on_output_high();
}

void Connection::ask_turn_end() {
  if (turn_end_asked_) return;
  turn_end_asked_ = true;
  client_.at_turn_end(*this);
}

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
  if (phase_ == Phase::closing && output_.empty()) return end();
  if (output_.unsent_bytes() < output_low_bytes) wait_no_more(for_output);
}

void Connection::on_turn_end() {
  turn_end_asked_ = false;
  if (phase_ == Phase::ended && !session_ending_) return;
  if (session_ending_) {
    session_ending_ = false;
    sending_.reset();
    transactions_.clear();
    subscriptions_.clear();
    session_.reset();
  }
  if (phase_ != Phase::securing) authentication_.reset();
  if (!write_blocked_) flush_output();
  if (phase_ == Phase::closing && output_.empty()) return end();
  // Input is handled inside of a turn, not at its end.
  if ((waits_ & for_output) != 0 && output_.unsent_bytes() < output_low_bytes)
    client_.timers().arm(resume_, 0);
}

}  // namespace weir::stomp
