#include "protocol/amqp091/codec/frame.h"

#include <gtest/gtest.h>

#include <array>

#include "unit/amqp091_codec/wire_bytes.h"

namespace weir::amqp091 {
namespace {

using Answer = DecodedFrame::Answer;

const auto body_frame = from_hex("03 0001 00000005 68656c6c6f ce");

WireError error_of(std::string_view hex, std::uint32_t frame_max = frame_max_lowest) {
  const auto input = from_hex(hex);
  const auto decoded = decode_frame(input, frame_max);
  EXPECT_EQ(decoded.answer, Answer::error) << hex;
  EXPECT_EQ(scope_of(decoded.error.code), ErrorScope::connection);
  return decoded.error;
}

TEST(Frame, is_taken_off_the_front_of_the_input) {
  auto input = body_frame;
  input.push_back(std::byte{1});  // of the next one
  const auto decoded = decode_frame(input, frame_max_lowest);
  ASSERT_EQ(decoded.answer, Answer::frame);
  EXPECT_EQ(decoded.bytes, body_frame.size());
  EXPECT_EQ(decoded.frame.type, FrameType::body);
  EXPECT_EQ(decoded.frame.channel, 1);
  EXPECT_EQ(as_text(decoded.frame.payload), "hello");
  EXPECT_EQ(decoded.frame.payload.data(), input.data() + frame_header_bytes);
}

TEST(Frame, split_at_any_byte_needs_more_and_says_how_many_once_its_header_is_there) {
  for (std::size_t size = 0; size < body_frame.size(); ++size) {
    const auto decoded = decode_frame(exact(Bytes(body_frame).first(size)), frame_max_lowest);
    ASSERT_EQ(decoded.answer, Answer::need_more) << size;
    EXPECT_EQ(decoded.bytes, size < frame_header_bytes ? frame_header_bytes : body_frame.size()) << size;
  }
}

TEST(Frame, of_each_type_is_known) {
  for (const FrameType type : {FrameType::method, FrameType::header, FrameType::body}) {
    std::array<std::byte, frame_overhead_bytes> empty{};
    write_frame_end(write_frame_header(empty.data(), type, 0xfffe, 0));
    const auto decoded = decode_frame(empty, frame_max_lowest);
    ASSERT_EQ(decoded.answer, Answer::frame);
    EXPECT_EQ(decoded.frame.type, type);
    EXPECT_EQ(decoded.frame.channel, 0xfffe);
    EXPECT_TRUE(decoded.frame.payload.empty());
  }
}

TEST(Frame, of_another_type_is_refused_from_its_first_byte_on) {
  for (unsigned type = 0; type < 256; ++type) {
    if ((type >= 1 && type <= 3) || type == 8) continue;
    std::vector<std::byte> input(1, static_cast<std::byte>(type));
    for (; input.size() <= frame_overhead_bytes; input.push_back(std::byte{0})) {
      const auto decoded = decode_frame(input, frame_max_lowest);
      ASSERT_EQ(decoded.answer, Answer::error) << type << " " << input.size();
      EXPECT_EQ(decoded.error, (WireError{ReplyCode::frame_error, "unknown frame type"}));
    }
  }
}

TEST(Frame, without_its_end_octet_is_refused) {
  auto input = body_frame;
  input.back() = std::byte{0xcf};
  const auto decoded = decode_frame(input, frame_max_lowest);
  ASSERT_EQ(decoded.answer, Answer::error);
  EXPECT_EQ(decoded.error, (WireError{ReplyCode::frame_error, "frame without its end octet"}));
}

TEST(Frame, of_exactly_frame_max_is_taken) {
  std::vector<std::byte> input(frame_max_lowest);
  write_frame_header(input.data(), FrameType::body, 1, frame_max_lowest - frame_overhead_bytes);
  input.back() = frame_end;
  const auto decoded = decode_frame(input, frame_max_lowest);
  ASSERT_EQ(decoded.answer, Answer::frame);
  EXPECT_EQ(decoded.bytes, frame_max_lowest);
}

TEST(Frame, larger_than_frame_max_is_refused_on_its_header) {
  const WireError expected{ReplyCode::frame_error, "frame larger than the tuned frame-max"};
  EXPECT_EQ(error_of("03 0001 00000ff9"), expected);
  EXPECT_EQ(error_of("01 0001 ffffffff"), expected);
  EXPECT_EQ(error_of("02 0001 fffffff8"), expected);  // with its overhead it would wrap around 32 bits
}

TEST(Frame, no_payload_fits_a_frame_max_below_the_overhead) {
  EXPECT_EQ(error_of("01 0001 00000000", 0).code, ReplyCode::frame_error);
}

TEST(Heartbeat, is_an_empty_frame_on_channel_0) {
  std::array<std::byte, frame_overhead_bytes> input{};
  EXPECT_EQ(write_heartbeat_frame(input.data()), input.data() + input.size());
  EXPECT_EQ(to_hex(input), "08000000000000ce");
  const auto decoded = decode_frame(input, frame_max_lowest);
  ASSERT_EQ(decoded.answer, Answer::frame);
  EXPECT_EQ(decoded.frame.type, FrameType::heartbeat);
  EXPECT_EQ(decoded.bytes, input.size());
}

TEST(Heartbeat, split_at_any_byte_needs_more) {
  const auto heartbeat = from_hex("08000000000000ce");
  for (std::size_t size = 0; size < heartbeat.size(); ++size) {
    const auto decoded = decode_frame(exact(Bytes(heartbeat).first(size)), frame_max_lowest);
    ASSERT_EQ(decoded.answer, Answer::need_more) << size;
    EXPECT_EQ(decoded.bytes, size < 7 ? 7 : 8);
  }
}

TEST(Heartbeat, that_is_not_so_is_refused) {
  EXPECT_EQ(error_of("08 0001 00000000").text, "heartbeat on a channel other than 0");
  EXPECT_EQ(error_of("08 0000 00000001").text, "heartbeat with a payload");
  EXPECT_EQ(error_of("08 0000 00000000 00").text, "frame without its end octet");
}

TEST(ProtocolHeader, is_accepted_when_whole) {
  EXPECT_EQ(to_hex(protocol_header), "414d515000000901");
  EXPECT_EQ(decode_protocol_header(protocol_header), ProtocolHeaderAnswer::accepted);
  EXPECT_EQ(decode_protocol_header(from_hex("414d515000000901 01")), ProtocolHeaderAnswer::accepted);
}

TEST(ProtocolHeader, split_at_any_byte_needs_more) {
  for (std::size_t size = 0; size < protocol_header_bytes; ++size) {
    EXPECT_EQ(decode_protocol_header(exact(Bytes(protocol_header).first(size))),
              ProtocolHeaderAnswer::need_more);
  }
}

TEST(ProtocolHeader, of_another_version_is_told_when_all_of_it_is_there) {
  EXPECT_EQ(decode_protocol_header(from_hex("414d515003010000")), ProtocolHeaderAnswer::mismatch);
  EXPECT_EQ(decode_protocol_header(from_hex("414d515000010000")), ProtocolHeaderAnswer::mismatch);
  EXPECT_EQ(decode_protocol_header(from_hex("414d5150030100")), ProtocolHeaderAnswer::need_more);
}

TEST(ProtocolHeader, of_another_protocol_is_told_at_its_first_byte_that_differs) {
  EXPECT_EQ(decode_protocol_header(as_bytes("G")), ProtocolHeaderAnswer::mismatch);
  EXPECT_EQ(decode_protocol_header(as_bytes("AMQX")), ProtocolHeaderAnswer::mismatch);
  EXPECT_EQ(decode_protocol_header(as_bytes("GET / HTTP/1.1")), ProtocolHeaderAnswer::mismatch);
}

}  // namespace
}  // namespace weir::amqp091
