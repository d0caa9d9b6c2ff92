// What it is: the frame layer (spec 2.3, 4.2) and the protocol header that comes before the first frame.
//
//   0      1         3             7                  7+size
//   +------+---------+-------------+------------------+-----------+
//   | type | channel | payload size|  payload ...     | end  0xCE |
//   +------+---------+-------------+------------------+-----------+
//     u8       u16         u32         size bytes          u8          (network order)
//
// Lifetime: a Frame views into the input that it was decoded from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "protocol/amqp091/codec/decoded.h"

namespace weir::amqp091 {

enum class FrameType : std::uint8_t { method = 1, header = 2, body = 3, heartbeat = 8 };

inline constexpr std::byte frame_end{0xCE};
inline constexpr std::size_t frame_header_bytes = 7;
inline constexpr std::size_t frame_overhead_bytes = frame_header_bytes + 1;
// No peer may tune frame-max below the lowest. That is also the specification's limit for frames before
// tuning, but capabilities and tokens in connection.start-ok outgrow it: the larger one is what clients rely
// on today.
inline constexpr std::uint32_t frame_max_lowest = 4'096;
inline constexpr std::uint32_t frame_max_before_tune = 8'192;
inline constexpr std::uint32_t frame_max_default = 131'072;

struct Frame {
  FrameType type = FrameType::method;
  std::uint16_t channel = 0;
  Bytes payload{};
};

struct DecodedFrame {
  enum class Answer : std::uint8_t { frame, need_more, error };
  Answer answer = Answer::need_more;
  Frame frame{};  // answer == frame
  std::size_t bytes =
      0;              // frame: how many were taken. need_more: how many are needed in all, as far as known
  WireError error{};  // answer == error: the connection can't go on, its framing is lost
};

// Takes one frame off the front of `input`. `frame_max` counts the whole frame (header and end octet too), as
// tuned; the caller turns a tuned 0 ("no limit") into a limit of its own. A frame that is too large, of an
// unknown type or a wrong heartbeat is refused on its header, before its payload has come.
DecodedFrame decode_frame(Bytes input, std::uint32_t frame_max);

// "AMQP" 0 0 9 1
inline constexpr std::size_t protocol_header_bytes = 8;
extern const std::byte protocol_header[protocol_header_bytes];

enum class ProtocolHeaderAnswer : std::uint8_t {
  accepted,   // protocol_header_bytes were taken
  need_more,  // all bytes so far agree with "AMQP"
  mismatch,   // send `protocol_header` and close
};
// On a mismatch with at least 8 bytes that begin with "AMQP", input[4..7] tell which version was asked for.
ProtocolHeaderAnswer decode_protocol_header(Bytes input);

// Each writes a whole or partial frame at `to` and returns the byte after it.
inline std::byte* write_frame_header(std::byte* to, FrameType type, std::uint16_t channel,
                                     std::uint32_t payload_bytes) {
  to[0] = static_cast<std::byte>(type);
  store_be(to + 1, channel);
  store_be(to + 3, payload_bytes);
  return to + frame_header_bytes;
}
inline std::byte* write_frame_end(std::byte* to) {
  *to = frame_end;
  return to + 1;
}
inline std::byte* write_heartbeat_frame(std::byte* to) {  // frame_overhead_bytes
  return write_frame_end(write_frame_header(to, FrameType::heartbeat, 0, 0));
}

namespace detail {
DecodedFrame decode_short_frame(Bytes input);
DecodedFrame decode_heartbeat(Bytes input, std::uint16_t channel, std::uint32_t payload_bytes);
DecodedFrame frame_error(std::string_view text);
}  // namespace detail

inline DecodedFrame decode_frame(Bytes input, std::uint32_t frame_max) {
  using Answer = DecodedFrame::Answer;
  if (input.size() < frame_header_bytes) [[unlikely]]
    return detail::decode_short_frame(input);
  const auto type = static_cast<std::uint8_t>(input[0]);
  const auto channel = load_be<std::uint16_t>(input.data() + 1);
  const auto payload_bytes = load_be<std::uint32_t>(input.data() + 3);
  if (type - 1U > 2U) [[unlikely]]
    return detail::decode_heartbeat(input, channel, payload_bytes);
  if (std::uint64_t{payload_bytes} + frame_overhead_bytes > frame_max) [[unlikely]] {
    return detail::frame_error("frame larger than the tuned frame-max");
  }
  const std::size_t total = payload_bytes + frame_overhead_bytes;
  if (input.size() < total) return {.answer = Answer::need_more, .bytes = total};
  if (input[total - 1] != frame_end) [[unlikely]]
    return detail::frame_error("frame without its end octet");
  return {.answer = Answer::frame,
          .frame = {static_cast<FrameType>(type), channel, input.subspan(frame_header_bytes, payload_bytes)},
          .bytes = total};
}

}  // namespace weir::amqp091
