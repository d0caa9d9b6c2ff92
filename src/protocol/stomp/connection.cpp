#include "protocol/stomp/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "protocol/stomp/codec/stored_headers.h"

namespace weir::stomp {

Connection::Connection(node::BrokerClient& client, std::unique_ptr<runtime::ByteStream> stream,
                       const Settings& settings, ConnectionOwner& owner)
    : ClientConnection(client, std::move(stream), owner.shared()), settings_(settings), owner_(owner) {}

Connection::~Connection() { close_down(); }

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
  end_in(delay_ms);
}

void Connection::give_back() {
  drop_subscriptions();
  then_ = nullptr;
}

void Connection::forget_session() {
  sending_.reset();
  transactions_.clear();
  subscriptions_.clear();
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

void Connection::told_ended() {
  phase_ = Phase::ended;
  client_.timers().cancel(beat_in_);
  client_.timers().cancel(beat_out_);
  owner_.on_ended(*this);
}

// In the middle of a message there is no frame that could tell of it.
void Connection::on_body_lost(std::string_view why) {
  note_end(LogLevel::error, fmt::format("a large message can't be read back: {}", why));
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
  if (heard()) return client_.timers().arm(beat_in_, 2ULL * beat_in_ms_);
  note_end(LogLevel::warning, fmt::format("missed heart-beats: nothing came for {} ms", 2ULL * beat_in_ms_));
  end();
}

void Connection::on_beat_out() {
  client_.timers().arm(beat_out_, std::max(1U, beat_out_ms_ / 2));
  // In a large message, a line's end would be one of its bytes.
  if (!silent() || output_.has_gap()) return;
  write("\n");
  not_silent_by(1);  // a beat does not spare us the next one
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

}  // namespace weir::stomp
