#include "protocol/http/codec/web_socket_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace weir::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view mask = "\x12\x34\x56\x78";

// As clients send it. `first`: FIN, reserved bits and opcode.
std::string frame(unsigned first, std::string_view payload) {
  std::string out;
  append_frame_head(out, WebSocketOpcode::binary, payload.size());
  out[0] = static_cast<char>(first);
  out[1] = static_cast<char>(static_cast<unsigned char>(out[1]) | 0x80U);
  out += mask;
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

struct Read {
  std::string payload;
  std::vector<std::string> events;  // "ping:…", "close:1000 …", "fault:1002 …"
};

Read read(std::string bytes, std::size_t piece_bytes = SIZE_MAX, bool takes_text = true) {
  WebSocketReader reader(takes_text);
  Read seen;
  for (std::string_view rest = bytes; !rest.empty();) {
    std::string piece(rest.substr(0, piece_bytes));
    const WebSocketReader::Step step =
        reader.take({reinterpret_cast<std::byte*>(piece.data()), piece.size()});
    EXPECT_LE(step.payload, step.used);
    seen.payload += piece.substr(0, step.payload);
    rest.remove_prefix(step.used);
    const std::string said = std::to_string(reader.code()) + " " + std::string(reader.reason());
    switch (step.event) {
      case WebSocketReader::Event::none: break;
      case WebSocketReader::Event::ping:
        seen.events.push_back("ping:" + std::string(as_text(reader.control_payload())));
        break;
      case WebSocketReader::Event::pong: seen.events.emplace_back("pong"); break;
      case WebSocketReader::Event::close: seen.events.push_back("close:" + said); return seen;
      case WebSocketReader::Event::fault: seen.events.push_back("fault:" + said); return seen;
    }
  }
  return seen;
}

TEST(WebSocketFrames, the_bytes_of_messages_come_out_however_they_were_cut) {
  std::string expected, sent;
  for (const std::size_t size : {0, 1, 3, 7, 8, 125, 126, 127, 65'535, 65'536}) {
    std::string payload(size, ' ');
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>('a' + (i * 7 + size) % 26);
    sent += frame(0x82, payload) + frame(0x89, "are you there") + frame(0x01, payload);
    sent += frame(0x8A, "") + frame(0x00, payload) + frame(0x80, payload);
    expected += payload + payload + payload + payload;
  }
  for (const std::size_t piece_bytes : {std::size_t{1}, std::size_t{5}, std::size_t{4'096}, SIZE_MAX}) {
    const Read seen = read(sent, piece_bytes);
    EXPECT_EQ(seen.payload, expected) << piece_bytes;
    ASSERT_EQ(seen.events.size(), 20U);
    EXPECT_EQ(seen.events[0], "ping:are you there");
    EXPECT_EQ(seen.events[1], "pong");
  }
}

TEST(WebSocketFrames, what_is_wrong_ends_the_stream_with_the_code_of_the_standard) {
  const struct {
    std::string bytes;
    const char* fault;
  } table[] = {
      {std::string("\x82\x01x", 3), "fault:1002 frames of clients have to be masked"},
      {frame(0xC2, "x"), "fault:1002 reserved bits"},
      {frame(0xA2, "x"), "fault:1002 reserved bits"},
      {frame(0x92, "x"), "fault:1002 reserved bits"},
      {frame(0x83, "x"), "fault:1002 unknown opcode"},
      {frame(0x87, "x"), "fault:1002 unknown opcode"},
      {frame(0x8B, "x"), "fault:1002 unknown opcode"},
      {frame(0x09, "x"), "fault:1002 a control frame is not fragmented"},
      {frame(0x89, std::string(126, 'x')), "fault:1002 a control frame has at most 125 bytes"},
      {frame(0x80, "x"), "fault:1002 there is no message to be continued"},
      {frame(0x02, "x") + frame(0x82, "x"), "fault:1002 a message begins inside of another"},
      {std::string("\x82\xFE\x00\x7D", 4) + std::string(mask), "fault:1002 a length is not in its shortest"},
      {std::string("\x82\xFF\x00\x00\x00\x00\x00\x00\xFF\xFF", 10) + std::string(mask),
       "fault:1002 a length is not in its shortest form"},
      {std::string("\x82\xFF\x80\x00\x00\x00\x00\x00\x00\x00", 10) + std::string(mask),
       "fault:1002 a length has its first bit set"},
      {frame(0x81, "\xC3("), "fault:1007 a text message has to be UTF-8"},
      {frame(0x81, "\xE2\x82"), "fault:1007 a text message has to be UTF-8"},
      {frame(0x01, "\xE2\x82") + frame(0x80, "("), "fault:1007 a text message has to be UTF-8"},
      {frame(0x88, "x"), "fault:1002 no code to close with"},
      {frame(0x88, std::string("\x03\xED", 2)), "fault:1002 no code to close with"},  // 1005
      {frame(0x88, std::string("\x13\x88", 2)), "fault:1002 no code to close with"},  // 5000
      {frame(0x88, "\x03\xE8\xFF"), "fault:1007 the reason to close has to be UTF-8"},
  };
  for (const auto& row : table) {
    for (const std::size_t piece_bytes : {std::size_t{1}, SIZE_MAX}) {
      const Read seen = read(row.bytes + frame(0x82, "not any more"), piece_bytes);
      ASSERT_EQ(seen.events.size(), 1U) << row.fault;
      EXPECT_THAT(seen.events[0], HasSubstr(row.fault));
      EXPECT_THAT(seen.payload, testing::Not(HasSubstr("any more")));
    }
  }
}

TEST(WebSocketFrames, text_is_refused_where_messages_have_to_be_binary) {
  EXPECT_THAT(read(frame(0x81, "text"), SIZE_MAX, false).events,
              ElementsAre("fault:1003 messages have to be binary"));
  EXPECT_EQ(read(frame(0x82, "text"), SIZE_MAX, false).payload, "text");
}

TEST(WebSocketFrames, a_character_may_be_cut_by_the_frames_of_a_message) {
  const Read seen = read(frame(0x01, "\xE2\x82") + frame(0x80, "\xAC"));
  EXPECT_EQ(seen.payload, "\xE2\x82\xAC");
  EXPECT_TRUE(seen.events.empty());
}

TEST(WebSocketFrames, the_last_frame_tells_why) {
  EXPECT_THAT(read(frame(0x88, "")).events, ElementsAre("close:1005 "));
  EXPECT_THAT(read(frame(0x88, "\x03\xE9 going")).events, ElementsAre("close:1001  going"));
  EXPECT_THAT(read(frame(0x82, "x") + frame(0x88, "\x0F\xA0") + "rest").events, ElementsAre("close:4000 "));
}

TEST(WebSocketFrames, heads_have_the_shortest_length_and_close_frames_stay_within_their_limit) {
  const auto head = [](std::uint64_t bytes) {
    std::string out;
    append_frame_head(out, WebSocketOpcode::text, bytes);
    return out;
  };
  EXPECT_EQ(head(0), std::string("\x81\x00", 2));
  EXPECT_EQ(head(125), "\x81\x7D");
  EXPECT_EQ(head(126), std::string("\x81\x7E\x00\x7E", 4));
  EXPECT_EQ(head(65'536), std::string("\x81\x7F\x00\x00\x00\x00\x00\x01\x00\x00", 10));
  std::string close;
  append_close_frame(close, 1002, std::string(122, 'x') + "\xC3\xBC");
  EXPECT_EQ(close, "\x88\x7C\x03\xEA" + std::string(122, 'x'));
  close.clear();
  append_close_frame(close, close_code::none_came, "");
  EXPECT_EQ(close, std::string("\x88\x00", 2));
}

}  // namespace
}  // namespace weir::http
