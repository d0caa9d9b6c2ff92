// What it is: writing the frames of a content: one header frame, then body frames of at most frame-max. With
// write_method_frame (method_codec.h) before it, it is a whole basic.publish, deliver, return or get-ok.
//
//   to = write_method_frame(to, channel, deliver, deliver_frame_bytes);
//   to = write_content_header_frame(to, channel, body.size(), raw_properties);
//   to = write_body_frame_header(to, channel, body.size());   // then the body, then write_frame_end(to)
//
// Errors: none; the sizes are the caller's, who has room for what the …_bytes functions say.
#pragma once

#include <cstring>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "protocol/amqp091/codec/basic_methods.h"
#include "protocol/amqp091/codec/content.h"
#include "protocol/amqp091/codec/frame.h"
#include "protocol/amqp091/codec/method_codec.h"

namespace weir::amqp091 {

// The settlements have one size each.
inline constexpr std::size_t ack_frame_bytes = method_frame_bytes(BasicAck{});
inline constexpr std::size_t nack_frame_bytes = method_frame_bytes(BasicNack{});
inline constexpr std::size_t reject_frame_bytes = method_frame_bytes(BasicReject{});

constexpr std::size_t content_header_frame_bytes(std::size_t raw_properties_bytes) {
  return frame_overhead_bytes + content_header_fixed_bytes + raw_properties_bytes;
}

inline std::byte* write_content_header_frame(std::byte* to, std::uint16_t channel, std::uint64_t body_bytes,
                                             Bytes raw_properties) {
  to = write_frame_header(to, FrameType::header, channel,
                          static_cast<std::uint32_t>(content_header_fixed_bytes + raw_properties.size()));
  store_be(to, std::uint32_t{basic_class_id} << 16);  // and a weight of 0
  store_be(to + 4, body_bytes);
  std::memcpy(to + content_header_fixed_bytes, raw_properties.data(), raw_properties.size());
  return write_frame_end(to + content_header_fixed_bytes + raw_properties.size());
}

inline std::byte* write_body_frame_header(std::byte* to, std::uint16_t channel, std::size_t payload_bytes) {
  return write_frame_header(to, FrameType::body, channel, static_cast<std::uint32_t>(payload_bytes));
}

constexpr std::size_t body_payload_max(std::uint32_t frame_max) { return frame_max - frame_overhead_bytes; }

// How many body frames a body takes: none when it is empty.
constexpr std::size_t body_frame_count(std::size_t body_bytes, std::uint32_t frame_max) {
  return (body_bytes + body_payload_max(frame_max) - 1) / body_payload_max(frame_max);
}

// All frames of a content: header and body.
constexpr std::size_t content_frames_bytes(std::size_t raw_properties_bytes, std::size_t body_bytes,
                                           std::uint32_t frame_max) {
  return content_header_frame_bytes(raw_properties_bytes) + body_bytes +
         body_frame_count(body_bytes, frame_max) * frame_overhead_bytes;
}

// Writes content_frames_bytes(…) bytes at `to` and returns the byte after them.
std::byte* write_content_frames(std::byte* to, std::uint16_t channel, Bytes raw_properties, Bytes body,
                                std::uint32_t frame_max);

void append_content_frames(std::vector<std::byte>& out, std::uint16_t channel, Bytes raw_properties,
                           Bytes body, std::uint32_t frame_max);

}  // namespace weir::amqp091
