#include "protocol/amqp091/codec/content_frames.h"

#include <algorithm>

namespace weir::amqp091 {

std::byte* write_content_frames(std::byte* to, std::uint16_t channel, Bytes raw_properties, Bytes body,
                                std::uint32_t frame_max) {
  WEIR_ASSERT(frame_max > frame_overhead_bytes);
  to = write_content_header_frame(to, channel, body.size(), raw_properties);
  while (!body.empty()) {
    const std::size_t part = std::min(body.size(), body_payload_max(frame_max));
    to = write_body_frame_header(to, channel, part);
    std::memcpy(to, body.data(), part);
    to = write_frame_end(to + part);
    body = body.subspan(part);
  }
  return to;
}

void append_content_frames(std::vector<std::byte>& out, std::uint16_t channel, Bytes raw_properties,
                           Bytes body, std::uint32_t frame_max) {
  const std::size_t at = out.size();
  out.resize(at + content_frames_bytes(raw_properties.size(), body.size(), frame_max));
  write_content_frames(out.data() + at, channel, raw_properties, body, frame_max);
}

}  // namespace weir::amqp091
