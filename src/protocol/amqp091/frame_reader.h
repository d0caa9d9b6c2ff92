// What it is: takes bytes as they come from the socket and gives frames, without waiting for a whole body frame: what has
// come of a body that is cut by the end of a read is given at once, so that its bytes are copied only to where the
// message is put together. Of any other frame that is cut, the beginning is kept here.
// Each byte is copied at most once, however small the reads are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "protocol/amqp091/codec/frame.h"

namespace weir::amqp091 {

class FrameReader {
 public:
  struct Item {
    enum class Kind : std::uint8_t {
      none,        // needs more input
      frame,       // a whole frame
      body_begin,  // a body frame of `body_bytes` that is cut: body_bytes and body_end follow, nothing in between
      body_bytes,  // a part, in frame.payload
      body_end,
      error,  // the framing is lost
    };
    Kind kind = Kind::none;
    Frame frame{};
    std::size_t body_bytes = 0;
    WireError error{};
  };

  // Takes the next item off the front of `input`. `frame_max` is at least frame_max_lowest.
  Item next(Bytes& input, std::uint32_t frame_max);

  // Ends a read: keeps what next() left of it. Frames that it gave out are valid until then.
  void keep(Bytes rest);

 private:
  Item next_of_body(Bytes& input);
  Item complete_kept(Bytes& input, std::uint32_t frame_max);
  Item begin_body(Bytes header);

  std::vector<std::byte> kept_;  // the beginning of a frame, or the whole frame that was given out
  bool kept_given_ = false;
  bool in_body_ = false;
  std::uint16_t body_channel_ = 0;
  std::size_t body_left_ = 0;
};

}  // namespace weir::amqp091
