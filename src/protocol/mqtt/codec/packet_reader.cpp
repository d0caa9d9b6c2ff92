#include "protocol/mqtt/codec/packet_reader.h"

#include <algorithm>
#include <cstring>

namespace weir::mqtt {

namespace {

constexpr std::size_t first_kept_bytes = 4U << 10;

}  // namespace

PacketReader::Kind PacketReader::fail(ReasonCode code, std::string_view text) {
  error_ = {code, text};
  state_ = State::broken;
  own_.reset();
  return Kind::error;
}

void PacketReader::finish() {
  state_ = State::header;
  header_count_ = 0;
  done_ = true;
}

PacketReader::Kind PacketReader::next(Bytes& input, Chunk* chunk, const PacketLimits& limits) {
  if (done_) {  // what the last packet was kept in
    done_ = false;
    own_.reset();
  }
  if (state_ == State::broken) {
    input = {};
    return Kind::none;
  }
  if (state_ == State::header) {
    if (!take_header(input, limits)) return state_ == State::broken ? Kind::error : Kind::none;
  }
  switch (state_) {
    case State::head: return take_head(input, chunk, limits);
    case State::payload: return take_payload(input, chunk);
    default: return take_body(input, chunk);
  }
}

// True: it is whole, and the packet has begun.
bool PacketReader::take_header(Bytes& input, const PacketLimits& limits) {
  while (!input.empty()) {
    const std::byte byte = input.front();
    input = input.subspan(1);
    header_[header_count_++] = byte;
    if (header_count_ == 1) continue;
    const bool last = (byte & std::byte{0x80}) == std::byte{0};
    if (last) return begin(limits);
    if (header_count_ == sizeof header_) {
      fail(ReasonCode::malformed_packet, "a remaining length of more than four bytes");
      return false;
    }
  }
  return false;
}

// False: it is refused before its body has come.
bool PacketReader::begin(const PacketLimits& limits) {
  const auto first = static_cast<std::uint8_t>(header_[0]);
  type_ = static_cast<PacketType>(first >> 4U);
  flags_ = first & 15U;
  remaining_ = had_ = payload_bytes_ = 0;
  for (unsigned i = 1; i < header_count_; ++i) {
    remaining_ |= static_cast<std::size_t>(header_[i] & std::byte{0x7F}) << (7U * (i - 1));
  }
  const auto refuse_it = [this](ReasonCode code, std::string_view text) {
    fail(code, text);
    return false;
  };
  if (first >> 4U == 0 || (type_ == PacketType::auth && version_ != Version::v5)) {
    return refuse_it(ReasonCode::malformed_packet, "a packet of a reserved type");
  }
  // [MQTT-2.1.3-1]; in 3.1 they were not fixed.
  if (type_ != PacketType::publish && flags_ != fixed_flags_of(type_) && version_ != Version::v3_1) {
    return refuse_it(ReasonCode::malformed_packet, "reserved flags in a fixed header");
  }
  // [MQTT-1.5.5-1], which is of 5.0.
  if (version_ == Version::v5 && header_count_ > 2 && header_[header_count_ - 1] == std::byte{0}) {
    return refuse_it(ReasonCode::malformed_packet, "a remaining length that is longer than it needs to be");
  }
  const bool is_ping = type_ == PacketType::pingreq || type_ == PacketType::pingresp;
  if (is_ping && remaining_ != 0) return refuse_it(ReasonCode::malformed_packet, "a ping with a body");
  if (header_count_ + remaining_ > limits.packet_bytes) {
    return refuse_it(ReasonCode::packet_too_large, "a packet larger than the maximum packet size");
  }
  // One of QoS 0 is not stored while it comes: it is of no use in parts.
  const bool in_parts = type_ == PacketType::publish && (flags_ & flags_qos) != 0 && limits.large_bytes > 0;
  const bool large = in_parts && header_count_ + remaining_ > limits.large_bytes;
  state_ = large ? State::head : State::body;
  return true;
}

PacketReader::Kind PacketReader::take_body(Bytes& input, Chunk* chunk) {
  const Bytes part = input.first(std::min(input.size(), remaining_ - had_));
  input = input.subspan(part.size());
  if (part.size() == remaining_) {
    body_ = part;
    body_chunk_ = chunk;
    finish();
    return Kind::packet;
  }
  keep(part, remaining_);
  if (had_ < remaining_) return Kind::none;
  body_ = {own_->data(), had_};
  body_chunk_ = own_.get();
  finish();
  return Kind::packet;
}

// Of the head that begins with `had`. Not more than the packet in any case.
PacketReader::HeadBytes PacketReader::head_bytes(Bytes had) const {
  std::size_t bytes = 2;
  if (bytes > had.size()) return up_to(bytes, false);
  bytes += std::size_t{load_be<std::uint16_t>(had.data())};
  if ((flags_ & flags_qos) != 0) bytes += 2;
  if (version_ != Version::v5) return up_to(bytes, true);
  std::size_t properties = 0;
  // A length that goes on for too long is for the decoder to refuse.
  for (unsigned shift = 0; shift < 28; shift += 7) {
    if (bytes >= had.size()) return up_to(bytes + 1, false);
    const std::byte byte = had[bytes++];
    properties |= static_cast<std::size_t>(byte & std::byte{0x7F}) << shift;
    if ((byte & std::byte{0x80}) == std::byte{0}) break;
  }
  return up_to(bytes + properties, true);
}

PacketReader::Kind PacketReader::take_head(Bytes& input, Chunk* chunk, const PacketLimits& limits) {
  for (;;) {
    const Bytes available = input.first(std::min(input.size(), remaining_ - had_));
    const Bytes had = own_ ? Bytes(own_->data(), had_) : available;
    const HeadBytes head = head_bytes(had);
    if (head.at_least > limits.large_head_bytes) {
      return fail(ReasonCode::packet_too_large, "a PUBLISH with too many properties");
    }
    if (head.exact && head.at_least <= had.size()) {
      body_ = had.first(head.at_least);
      body_chunk_ = own_ ? own_.get() : chunk;
      if (!own_) input = input.subspan(body_.size());  // one that is kept ends where the payload begins
      payload_bytes_ = remaining_ - body_.size();
      had_ = 0;
      state_ = State::payload;
      return Kind::head;
    }
    if (available.empty()) return Kind::none;
    const Bytes part = available.first(std::min(head.at_least - had_, available.size()));
    input = input.subspan(part.size());
    keep(part, std::min(remaining_, limits.large_head_bytes));
  }
}

PacketReader::Kind PacketReader::take_payload(Bytes& input, Chunk* chunk) {
  own_.reset();  // the head's
  if (had_ == payload_bytes_) {
    finish();
    body_ = {};
    return Kind::end;
  }
  if (input.empty()) return Kind::none;
  body_ = input.first(std::min(input.size(), payload_bytes_ - had_));
  body_chunk_ = chunk;
  input = input.subspan(body_.size());
  had_ += body_.size();
  return Kind::part;
}

// Grows as the bytes come, to at most `most`.
void PacketReader::keep(Bytes part, std::size_t most) {
  if (part.empty()) return;
  const std::size_t all = had_ + part.size();
  if (!own_ || all > own_->capacity()) {
    std::size_t bytes = own_ ? own_->capacity() : first_kept_bytes;
    while (bytes < all) bytes *= 4;
    const ChunkRef larger = ChunkRef::adopt(Chunk::make(std::min(bytes, std::max(most, all))));
    if (had_ > 0) std::memcpy(larger->data(), own_->data(), had_);
    own_ = larger;
  }
  std::memcpy(own_->data() + had_, part.data(), part.size());
  had_ = all;
}

}  // namespace weir::mqtt
