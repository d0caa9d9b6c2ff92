// What it is: a stream of bytes into packets. One that lies in one read is given as views of it; one that is cut is put
// together in memory of its own. A large PUBLISH by QoS 1 or 2 may be given in parts: its head, then its payload as it comes.
// Memory: at most one packet's; nothing is allocated for what was only announced.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/chunk.h"
#include "protocol/mqtt/codec/decoded.h"
#include "protocol/mqtt/codec/packet_type.h"
#include "protocol/mqtt/codec/packets.h"
#include "protocol/mqtt/codec/version.h"

namespace weir::mqtt {

struct PacketLimits {
  std::size_t packet_bytes = packet_bytes_max;  // of a whole packet, as "Maximum Packet Size" counts
  std::size_t large_bytes = 0;                // a PUBLISH by QoS 1 or 2 of more comes in parts; 0: none does
  std::size_t large_head_bytes = 256U << 10;  // topic and properties of such a one
};

class PacketReader {
 public:
  enum class Kind : std::uint8_t {
    none,    // all input was taken
    packet,  // type(), flags(), body()
    head,    // of a large PUBLISH: body() is what comes before the payload, of which payload_bytes() follow
    part,    // of that payload: body()
    end,     // of that one
    error,
  };

  // Takes from the front of `input`, whose bytes lie in `chunk`; what is given lives until the next call. After an error
  // there is nothing more. The limits may change between packets.
  Kind next(Bytes& input, Chunk* chunk, const PacketLimits& limits);

  PacketType type() const { return type_; }
  std::uint8_t flags() const { return flags_; }
  Bytes body() const { return body_; }
  Chunk* chunk() const { return body_chunk_; }  // where the body lies
  std::size_t payload_bytes() const { return payload_bytes_; }
  const WireError& error() const { return error_; }  // malformed_packet or packet_too_large

  // Of the packets that come: what CONNECT has said. Before that, they are read as those of 3.1.1.
  void use(Version version) { version_ = version; }
  bool between_packets() const { return state_ == State::header && header_count_ == 0; }
  std::size_t kept_bytes() const { return own_ ? own_->capacity() : 0; }

 private:
  enum class State : std::uint8_t { header, body, head, payload, broken };

  bool take_header(Bytes& input, const PacketLimits& limits);
  bool begin(const PacketLimits& limits);
  Kind take_body(Bytes& input, Chunk* chunk);
  Kind take_head(Bytes& input, Chunk* chunk, const PacketLimits& limits);
  Kind take_payload(Bytes& input, Chunk* chunk);
  struct HeadBytes {
    std::size_t at_least;
    bool exact;
  };
  HeadBytes up_to(std::size_t bytes, bool exact) const {
    return bytes < remaining_ ? HeadBytes{bytes, exact} : HeadBytes{remaining_, true};
  }
  HeadBytes head_bytes(Bytes had) const;
  void keep(Bytes part, std::size_t most);
  Kind fail(ReasonCode code, std::string_view text);
  void finish();

  Version version_ = Version::v3_1_1;
  State state_ = State::header;
  bool done_ = false;
  PacketType type_{};
  std::uint8_t flags_ = 0;
  std::uint8_t header_count_ = 0;
  std::byte header_[5] = {};
  std::size_t remaining_ = 0;  // the whole body's
  std::size_t had_ = 0;        // of it, kept in own_; of a payload in parts: given
  std::size_t payload_bytes_ = 0;
  Bytes body_;
  Chunk* body_chunk_ = nullptr;
  ChunkRef own_;
  WireError error_;
};

}  // namespace weir::mqtt
