#include "protocol/mqtt/connection.h"

#include <fmt/format.h>

#include <utility>

#include "protocol/mqtt/codec/encode.h"

namespace weir::mqtt {

Connection::Connection(node::BrokerClient& client, std::unique_ptr<runtime::ByteStream> stream,
                       const Settings& settings, ConnectionOwner& owner)
    : ClientConnection(client, std::move(stream), owner.shared()), settings_(settings), owner_(owner) {}

Connection::~Connection() {
  if (claimed_) owner_.directory().release(client_.shard(), claim_);
  close_down();
}

// --- output ---

template <typename Packet>
void Connection::send(const Packet& packet) {
  const std::size_t bytes = size_of(version_, packet);
  if (client_packet_bytes_ != 0 && bytes > client_packet_bytes_) return;  // [MQTT-3.1.2-24]
  write(output_.reserve(bytes), version_, packet);
  output_.commit(bytes);
  after_output();
}
template void Connection::send(const Connack&);
template void Connection::send(const SubscriptionAck&);

void Connection::send_ack(PacketType type, std::uint16_t packet_id, ReasonCode code) {
  if (version_ == Version::v5 && code != ReasonCode::success)
    return send(Ack{.type = type, .packet_id = packet_id, .code = code});
  write_plain_ack(output_.reserve(plain_ack_bytes), type, packet_id);
  output_.commit(plain_ack_bytes);
  after_output();
}

// --- the end ---

void Connection::fail(ReasonCode code, std::string_view detail) {
  if (phase_ >= Phase::closing) return;
  note_end(LogLevel::warning, fmt::format("{}: {}", to_string(code), detail));
  client_.count_error(node::Protocol::mqtt, number_of(code), true);
  if (phase_ < Phase::running) {
    // Nothing goes before CONNACK, and CONNACK says what is wrong with a CONNECT only.
    if (phase_ == Phase::connecting) return end();
    return refuse(code, detail);
  }
  const bool told = version_ == Version::v5 && !output_.has_gap();
  if (told) {
    Disconnect packet{.code = code};
    if (problem_information_) packet.properties.reason_string = detail;
    if (client_packet_bytes_ != 0 && size_of(version_, packet) > client_packet_bytes_)
      packet.properties.reason_string.reset();
    send(packet);
  }
  close_after_output();
}

void Connection::close_after_output() {
  release_session();
  phase_ = Phase::closing;
  client_.timers().cancel(keep_alive_);
  if (output_.has_gap()) return end();
  end_in(close_delay_ms);
  ask_turn_end();
}

void Connection::leave() {
  if (phase_ == Phase::running) close_after_output();
}

void Connection::shut_down(std::string_view reason) {
  if (phase_ < Phase::running) {
    note_end(LogLevel::info, std::string(reason));
    return end();
  }
  fail(ReasonCode::server_shutting_down, reason);
}

// The queue of a session that ends with its connection is the connection's own: it goes along.
void Connection::give_back() {
  publish_will();
  steps_.clear();
  then_ = nullptr;
  // First: what is put back must not come to a consumer that is about to go.
  for (node::ConsumerNumber one = 1; one <= last_consumer_; ++one) session_->drop_consumer(one);
  put_marks_back();
  put_held_back();
  flights_.for_each([&](InFlight& flight) {
    if (flight.state == Flight::published)
      session_->settle(flight.consumer, flight.queue, flight.seq, node::Outcome::requeue);
  });
}

void Connection::forget_session() {
  if (!claimed_) return;
  claimed_ = false;
  owner_.directory().release(client_.shard(), claim_);
}

void Connection::told_ended() {
  phase_ = Phase::ended;
  if (watches_sys_) owner_.sys_topics().leave(*this);
  client_.timers().cancel(keep_alive_);
  owner_.on_ended(*this);
}

void Connection::on_body_lost(std::string_view why) {
  note_end(LogLevel::error, fmt::format("a large message can't be read back: {}", why));
  end();
}

// --- timers ---

void Connection::on_deadline() {
  if (phase_ < Phase::running) note_end(LogLevel::warning, "no CONNECT came in time");
  end();
}

// One and a half times the Keep Alive without a packet [MQTT-3.1.2-22].
void Connection::on_keep_alive() {
  const std::uint64_t allowed_ms = keep_alive_s_ * 1'500ULL;
  // While its socket is not read, nothing can be known of the peer.
  if (heard()) last_packet_ms_ = std::max(last_packet_ms_, waiting() ? client_.timers().now_ms() : 0);
  const std::uint64_t due_ms = last_packet_ms_ + allowed_ms;
  if (due_ms > client_.timers().now_ms())
    return client_.timers().arm(keep_alive_, due_ms - client_.timers().now_ms());
  fail(ReasonCode::keep_alive_timeout, fmt::format("nothing came for {} ms", allowed_ms));
}

}  // namespace weir::mqtt
