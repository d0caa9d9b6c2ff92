// What it is: a stream of bytes into frames (STOMP 1.0 to 1.2, "STOMP Frames"). One that lies in one read is given as views of
// it; of one that does not, the head is kept, and the body grows in memory of its own or is passed on in parts.
// Memory: a head's and a body's most. Nothing is allocated for what was only announced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/chunk.h"
#include "protocol/stomp/codec/headers.h"
#include "protocol/stomp/codec/version.h"

namespace weir::stomp {

struct FrameLimits {
  std::size_t head_bytes = 64U << 10;  // the command's line and all headers
  std::size_t headers = 512;
  std::size_t body_bytes = 0;
};

class FrameReader {
 public:
  enum class Kind : std::uint8_t {
    none,   // all input was taken
    beat,   // the end of a line between frames
    frame,  // command(), headers(), body()
    // Of one whose body did not come with the head: command(), headers(), announced_bytes(). The body is kept until the frame
    // is there, unless pass_body_on() is called now.
    head,
    part,  // of a body that is passed on: body()
    end,   // of that one
    error,
  };

  // Takes from the front of `input`, whose bytes lie in `chunk`; what the item views lives until the next call. After an
  // error there is nothing more.
  Kind next(Bytes& input, Chunk* chunk, const FrameLimits& limits);

  std::string_view command() const { return command_; }
  const Headers& headers() const { return headers_; }
  Bytes body() const { return body_; }
  Chunk* body_chunk() const { return body_chunk_; }  // where it lies
  bool has_length() const { return length_known_; }
  std::size_t announced_bytes() const { return length_known_ ? length_ : 0; }
  // For a person: what is wrong.
  std::string_view error() const { return error_; }

  void pass_body_on() { passing_on_ = true; }
  // Of the frames that come: what CONNECTED has said.
  void use(Version version) { version_ = version; }
  // The read that the input was in ends: a frame that has begun no longer needs it.
  bool between_frames() const { return state_ == State::between; }
  std::size_t kept_bytes() const { return head_.capacity() + (own_body_ ? own_body_->capacity() : 0); }

 private:
  enum class State : std::uint8_t { between, head, body, broken };

  Kind take_head(Bytes& input, Chunk* chunk, const FrameLimits& limits);
  Kind begin_body(Bytes& input, Chunk* chunk, const FrameLimits& limits);
  Kind take_body(Bytes& input, const FrameLimits& limits);
  bool parse_head(std::string_view text, const FrameLimits& limits);
  void keep(Bytes part);
  Kind fail(std::string_view why);
  Kind finish(Kind kind);

  Version version_ = Version::v1_2;
  State state_ = State::between;
  bool length_known_ = false, passing_on_ = false, done_ = false, ended_ = false;
  std::size_t length_ = 0;
  std::size_t had_ = 0;  // of the body
  std::string head_;     // what is kept of it
  std::string_view command_;
  Headers headers_;
  Bytes body_;
  Chunk* body_chunk_ = nullptr;
  ChunkRef own_body_;
  std::string_view error_;
};

}  // namespace weir::stomp
