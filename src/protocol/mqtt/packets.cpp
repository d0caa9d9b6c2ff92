// From bytes to packets, and what is done with each kind.
#include "protocol/mqtt/codec/decode.h"
#include "protocol/mqtt/codec/encode.h"
#include "protocol/mqtt/connection.h"

namespace weir::mqtt {

PacketLimits Connection::packet_limits() const {
  if (phase_ != Phase::running) return {.packet_bytes = connect_bytes_max};
  constexpr std::size_t head_bytes = 256U << 10;
  const std::size_t most =
      std::min<std::uint64_t>(settings_.max_message_bytes + head_bytes, packet_bytes_max);
  return {
      .packet_bytes = most, .large_bytes = client_.body_sizes().large_bytes, .large_head_bytes = head_bytes};
}

// After a DISCONNECT, what the peer still sends is thrown away.
void Connection::take_frames(Bytes input, Chunk* chunk) {
  if (!input.empty()) last_packet_ms_ = client_.timers().now_ms();
  while (phase_ < Phase::closing) {
    if (waiting()) return hold(input, chunk);
    const PacketReader::Kind kind = reader_.next(input, chunk, packet_limits());
    if (kind == PacketReader::Kind::none) return;
    handle(kind, chunk);
  }
}

void Connection::handle(PacketReader::Kind kind, Chunk* chunk) {
  using Kind = PacketReader::Kind;
  switch (kind) {
    case Kind::none: return;
    case Kind::packet: return handle_packet(chunk);
    case Kind::head: return begin_publish(chunk, true);
    case Kind::part: return take_large(reader_.body());
    case Kind::end: return finish_large();
    case Kind::error: return fail(reader_.error());
  }
}

void Connection::handle_packet(Chunk* chunk) {
  const PacketType type = reader_.type();
  if (phase_ != Phase::running) {
    // The first packet is CONNECT [MQTT-3.1.0-1].
    if (type == PacketType::connect) return connect();
    return fail(ReasonCode::protocol_error, "the first packet is not CONNECT");
  }
  switch (type) {
    case PacketType::publish: return begin_publish(chunk, false);
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp: {
      const Decoded<Ack> ack = decode_ack(version_, type, reader_.body());
      return ack ? handle_ack(*ack) : fail(ack.error());
    }
    case PacketType::subscribe: return subscribe();
    case PacketType::unsubscribe: return unsubscribe();
    case PacketType::pingreq:
      write_pingresp(output_.reserve(ping_bytes));
      output_.commit(ping_bytes);
      return after_output();
    case PacketType::disconnect: return handle_disconnect();
    // Of enhanced authentication, which CONNECT has not begun.
    case PacketType::auth: return fail(ReasonCode::protocol_error, "AUTH without an authentication method");
    default:
      // A second CONNECT [MQTT-3.1.0-2], and what only a server sends.
      return fail(ReasonCode::protocol_error, "a packet that is not expected here");
  }
}

void Connection::handle_ack(const Ack& ack) {
  switch (ack.type) {
    case PacketType::puback: take_puback(ack); break;
    case PacketType::pubrec: take_pubrec(ack); break;
    case PacketType::pubrel: return release(ack.packet_id);
    default: take_pubcomp(ack);
  }
  send_held();
}

void Connection::handle_disconnect() {
  const Decoded<Disconnect> packet = decode_disconnect(version_, reader_.body());
  if (!packet) return fail(packet.error());
  const std::uint32_t expiry_s = packet->properties.session_expiry_s.value_or(session_expiry_s_);
  // [MQTT-3.14.2-2]: one that was to end with its connection can't be kept.
  if (session_expiry_s_ == 0 && expiry_s != 0)
    return fail(ReasonCode::protocol_error, "a session that ends with its connection can't last");
  note_end(LogLevel::info, "DISCONNECT");
  if (packet->code != ReasonCode::disconnect_with_will_message) will_.reset();
  if (expiry_s == session_expiry_s_ || !lasts_) return leave();
  session_expiry_s_ = std::min(expiry_s, settings_.session_expiry_s_max);
  std::vector<Step> steps;
  add_declare(steps);
  add_update_marks(steps);
  run(std::move(steps), [this] { leave(); });
}

}  // namespace weir::mqtt
