#include "protocol/amqp091/codec/content_frames.h"

#include <gtest/gtest.h>

#include <string>

#include "unit/amqp091_codec/wire_bytes.h"

namespace weir::amqp091 {
namespace {

// What a receiver makes of header and body frames.
struct Received {
  std::uint64_t body_bytes = 0;
  std::string raw_properties_hex;
  std::string body;
  std::size_t body_frames = 0;
};

Received receive(Bytes input, std::uint16_t channel, std::uint32_t frame_max) {
  Received received;
  while (!input.empty()) {
    const auto decoded = decode_frame(input, frame_max);
    EXPECT_EQ(decoded.answer, DecodedFrame::Answer::frame) << decoded.error.text;
    if (decoded.answer != DecodedFrame::Answer::frame) break;
    EXPECT_EQ(decoded.frame.channel, channel);
    if (decoded.frame.type == FrameType::header) {
      const auto header = decode_content_header(decoded.frame.payload);
      EXPECT_TRUE(header);
      received.body_bytes = header->body_bytes;
      received.raw_properties_hex = to_hex(header->raw_properties);
    } else {
      EXPECT_EQ(decoded.frame.type, FrameType::body);
      received.body += as_text(decoded.frame.payload);
      ++received.body_frames;
    }
    input = input.subspan(decoded.bytes);
  }
  return received;
}

TEST(ContentFrames, of_an_empty_body_are_the_header_alone) {
  std::vector<std::byte> out;
  append_content_frames(out, 7, no_properties, {}, frame_max_lowest);
  EXPECT_EQ(to_hex(out), to_hex(from_hex("02 0007 0000000e 003c 0000 0000000000000000 0000 ce")));
}

TEST(ContentFrames, split_the_body_at_frame_max) {
  constexpr std::uint32_t frame_max =
      20;  // 12 bytes of payload; a header of 14 would not fit a peer that tuned so
  for (std::size_t size = 0; size <= 40; ++size) {
    std::string body(size, 'b');
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + i % 26);
    const auto raw = from_hex("1000 02");
    std::vector<std::byte> out(3);
    append_content_frames(out, 5, raw, as_bytes(body), frame_max);
    const Bytes frames = Bytes(out).subspan(3);
    EXPECT_EQ(frames.size(), content_frames_bytes(raw.size(), size, frame_max));
    const Received received = receive(frames, 5, 64);
    EXPECT_EQ(received.body_bytes, size);
    EXPECT_EQ(received.body, body);
    EXPECT_EQ(received.raw_properties_hex, "100002");
    EXPECT_EQ(received.body_frames, (size + 11) / 12);
    EXPECT_EQ(received.body_frames, body_frame_count(size, frame_max));
  }
}

TEST(ContentFrames, a_delivery_written_piece_by_piece_is_that_of_the_whole) {
  const BasicDeliver deliver{
      .consumer_tag = "ctag", .delivery_tag = 1, .redelivered = true, .exchange = "ex", .routing_key = "rk"};
  const auto raw = from_hex("1000 02");
  std::vector<std::byte> whole;
  append_method_frame(whole, 1, deliver);
  append_content_frames(whole, 1, raw, as_bytes("hi"), frame_max_default);

  std::vector<std::byte> pieces(whole.size());
  const std::size_t deliver_bytes = method_frame_bytes(deliver);
  std::byte* to = write_method_frame(pieces.data(), 1, deliver, deliver_bytes);
  EXPECT_EQ(to, pieces.data() + deliver_bytes);
  to = write_content_header_frame(to, 1, 2, raw);
  EXPECT_EQ(to, pieces.data() + deliver_bytes + content_header_frame_bytes(raw.size()));
  to = write_body_frame_header(to, 1, 2);
  std::memcpy(to, "hi", 2);
  to = write_frame_end(to + 2);
  EXPECT_EQ(to, pieces.data() + pieces.size());
  EXPECT_EQ(to_hex(pieces), to_hex(whole));
  EXPECT_EQ(to_hex(whole),
            to_hex(from_hex("01 0001 00000018 003c003c 0463746167 0000000000000001 01 026578 02726b ce"
                            "02 0001 0000000f 003c 0000 0000000000000002 1000 02 ce"
                            "03 0001 00000002 6869 ce")));
}

TEST(ContentFrames, settlements_have_one_size_each) {
  std::vector<std::byte> out;
  append_method_frame(out, 1, BasicAck{.delivery_tag = ~std::uint64_t{0}, .multiple = true});
  EXPECT_EQ(out.size(), ack_frame_bytes);
  EXPECT_EQ(ack_frame_bytes, 21U);
  EXPECT_EQ(nack_frame_bytes, 21U);
  EXPECT_EQ(reject_frame_bytes, 21U);
}

}  // namespace
}  // namespace weir::amqp091
