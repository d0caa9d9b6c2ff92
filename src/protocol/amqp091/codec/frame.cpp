#include "protocol/amqp091/codec/frame.h"

#include <algorithm>

namespace weir::amqp091 {

const std::byte protocol_header[protocol_header_bytes] = {
    std::byte{'A'}, std::byte{'M'}, std::byte{'Q'}, std::byte{'P'},
    std::byte{0},   std::byte{0},   std::byte{9},   std::byte{1},
};

ProtocolHeaderAnswer decode_protocol_header(Bytes input) {
  const Bytes expected(protocol_header);
  constexpr std::size_t name_bytes = 4;
  const std::size_t named = std::min(input.size(), name_bytes);
  if (!std::equal(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(named), expected.begin())) {
    return ProtocolHeaderAnswer::mismatch;
  }
  if (input.size() < protocol_header_bytes) return ProtocolHeaderAnswer::need_more;
  return std::equal(expected.begin(), expected.end(), input.begin()) ? ProtocolHeaderAnswer::accepted
                                                                     : ProtocolHeaderAnswer::mismatch;
}

namespace detail {

DecodedFrame frame_error(std::string_view text) {
  return {.answer = DecodedFrame::Answer::error, .error = {ReplyCode::frame_error, text}};
}

DecodedFrame decode_short_frame(Bytes input) {
  if (!input.empty()) {
    const auto type = static_cast<FrameType>(input[0]);
    if (type != FrameType::method && type != FrameType::header && type != FrameType::body &&
        type != FrameType::heartbeat) {
      return frame_error("unknown frame type");
    }
  }
  return {.answer = DecodedFrame::Answer::need_more, .bytes = frame_header_bytes};
}

DecodedFrame decode_heartbeat(Bytes input, std::uint16_t channel, std::uint32_t payload_bytes) {
  if (static_cast<FrameType>(input[0]) != FrameType::heartbeat) return frame_error("unknown frame type");
  if (channel != 0) return frame_error("heartbeat on a channel other than 0");
  if (payload_bytes != 0) return frame_error("heartbeat with a payload");
  if (input.size() < frame_overhead_bytes) {
    return {.answer = DecodedFrame::Answer::need_more, .bytes = frame_overhead_bytes};
  }
  if (input[frame_header_bytes] != frame_end) return frame_error("frame without its end octet");
  return {.answer = DecodedFrame::Answer::frame,
          .frame = {FrameType::heartbeat, 0, {}},
          .bytes = frame_overhead_bytes};
}

}  // namespace detail

}  // namespace weir::amqp091
