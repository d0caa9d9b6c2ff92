#include "protocol/mqtt/codec/packet_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "wire_text.h"

namespace weir::mqtt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// What comes of a stream that is read in pieces of so many bytes: "PUBLISH 0 body", "head body|payload", "error: why".
std::vector<std::string> read(const std::vector<std::byte>& stream, std::size_t piece_bytes = SIZE_MAX,
                              const PacketLimits& limits = {}, Version version = Version::v5) {
  std::vector<std::string> out;
  PacketReader reader;
  reader.use(version);
  std::string passed;
  for (std::size_t at = 0; at < stream.size();) {
    const std::size_t count = std::min(piece_bytes, stream.size() - at);
    const ChunkRef chunk = ChunkRef::adopt(Chunk::make(count));  // its bytes go with the round
    std::copy_n(stream.data() + at, count, chunk->data());
    at += count;
    Bytes input(chunk->data(), count);
    for (;;) {
      const PacketReader::Kind kind = reader.next(input, chunk.get(), limits);
      if (kind == PacketReader::Kind::none) break;
      if (kind == PacketReader::Kind::error) {
        out.push_back("error: " + std::string(to_string(reader.error().code)) + ", " +
                      std::string(reader.error().text));
        return out;
      }
      const Bytes body = reader.body();
      if (!body.empty()) {
        EXPECT_GE(body.data(), reader.chunk()->data());
        EXPECT_LE(body.data() + body.size(), reader.chunk()->data() + reader.chunk()->capacity());
      }
      const std::string name = std::string(to_string(reader.type())) + " " + std::to_string(reader.flags());
      switch (kind) {
        case PacketReader::Kind::packet: out.push_back(name + " " + hex(body)); break;
        case PacketReader::Kind::head: passed = name + " " + hex(body) + "|"; break;
        case PacketReader::Kind::part: passed += hex(body); break;
        default: out.push_back(std::exchange(passed, {})); break;
      }
    }
    EXPECT_TRUE(input.empty());
  }
  return out;
}

TEST(MqttPacketReader, gives_the_same_packets_however_they_are_cut) {
  const auto stream =
      wire("10 0f s'MQTT' 05 02 003c 00 s'ab'  c000  32 0c s't/1' 0007 00 'data'  40 02 0007  e0 00");
  const auto whole = read(stream);
  EXPECT_THAT(whole, ElementsAre("CONNECT 0 00044d5154540502003c0000026162", "PINGREQ 0 ",
                                 "PUBLISH 2 0003742f310007006461746"
                                 "1",
                                 "PUBACK 0 0007", "DISCONNECT 0 "));
  for (std::size_t piece = 1; piece < stream.size(); ++piece) EXPECT_EQ(read(stream, piece), whole) << piece;
}

TEST(MqttPacketReader, gives_a_packet_of_one_read_where_it_lies) {
  const auto stream = wire("30 05 s'a' 00 'x' 30 04");
  const ChunkRef chunk = ChunkRef::adopt(Chunk::make(stream.size()));
  std::copy(stream.begin(), stream.end(), chunk->data());
  PacketReader reader;
  Bytes input(chunk->data(), stream.size());
  ASSERT_EQ(reader.next(input, chunk.get(), {}), PacketReader::Kind::packet);
  EXPECT_EQ(reader.body().data(), chunk->data() + 2);
  EXPECT_EQ(reader.chunk(), chunk.get());
  EXPECT_EQ(reader.kept_bytes(), 0U);
}

TEST(MqttPacketReader, keeps_a_cut_packet_in_a_chunk_that_may_be_held) {
  PacketReader reader;
  const auto first = wire("30 05 00"), second = wire("01 'a' 'xy'");
  Bytes input = first;
  ASSERT_EQ(reader.next(input, nullptr, {}), PacketReader::Kind::none);
  EXPECT_FALSE(reader.between_packets());
  input = second;
  ASSERT_EQ(reader.next(input, nullptr, {}), PacketReader::Kind::packet);
  const ChunkRef held = ChunkRef::share(reader.chunk());
  const Bytes body = reader.body();
  ASSERT_EQ(reader.next(input, nullptr, {}), PacketReader::Kind::none);
  EXPECT_EQ(reader.kept_bytes(), 0U);
  EXPECT_TRUE(reader.between_packets());
  EXPECT_EQ(hex(body), "0001617879");
  EXPECT_TRUE(held->unique());
}

TEST(MqttPacketReader, gives_a_large_publish_in_parts) {
  const std::string payload(1'000, 'p');
  std::vector<std::byte> stream = wire("32 f8 07 s't/1' 0007 09 26 s'a' s'b' 01 01");
  for (const char c : payload) stream.push_back(static_cast<std::byte>(c));
  const std::size_t body_bytes = stream.size() - 3;
  stream[1] = static_cast<std::byte>(0x80U | (body_bytes & 0x7FU));
  stream[2] = static_cast<std::byte>(body_bytes >> 7U);
  for (const std::byte byte : wire("c000")) stream.push_back(byte);
  const auto whole = read(stream);
  ASSERT_EQ(whole.size(), 2U);
  const auto parts = read(stream, SIZE_MAX, {.large_bytes = 500});
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0],
            "PUBLISH 2 0003742f3100070926000161000162"
            "0101|" +
                hex(as_bytes(payload)));
  EXPECT_EQ(parts[1], "PINGREQ 0 ");
  for (const std::size_t piece : {1, 2, 3, 4, 5, 8, 9, 10, 19, 20, 21, 22, 100, 1'020}) {
    EXPECT_EQ(read(stream, piece, {.large_bytes = 500}), parts) << piece;
    EXPECT_EQ(read(stream, piece), whole) << piece;
  }
}

TEST(MqttPacketReader, gives_the_head_of_a_large_publish_that_is_nothing_but_a_head) {
  for (const std::string_view text :
       {"32 00", "32 01 00", "34 07 s'a' 0007 01 01", "32 03 s'a'", "32 06 s'a' 0007 ff"}) {
    const auto stream = wire(text);
    for (const std::size_t piece : {1, 2, 100}) {
      const auto parts = read(stream, piece, {.large_bytes = 1});
      ASSERT_EQ(parts.size(), 1U) << text;
      EXPECT_EQ(parts[0],
                "PUBLISH " + std::string(text.substr(1, 1)) + " " + hex(Bytes(stream).subspan(2)) + "|");
    }
  }
}

TEST(MqttPacketReader, gives_a_publish_by_qos_0_whole) {
  const auto stream = wire("30 08 s'a' 00 'abcd'");
  for (const std::size_t piece : {1, 3, 100})
    EXPECT_EQ(read(stream, piece, {.large_bytes = 1}), read(stream));
}

TEST(MqttPacketReader, refuses_a_head_of_a_large_publish_that_is_too_long) {
  const auto stream = wire("32 ff7f s't' 0001 ff7e");
  EXPECT_THAT(read(stream, 1, {.large_bytes = 100, .large_head_bytes = 1'000}),
              ElementsAre(HasSubstr("Packet too large, a PUBLISH with too many properties")));
}

TEST(MqttPacketReader, refuses_what_is_too_large_before_it_has_come) {
  const PacketLimits limits{.packet_bytes = 10};
  EXPECT_THAT(read(wire("30 08 s'a' 00 'abcd'"), SIZE_MAX, limits), ElementsAre(HasSubstr("PUBLISH")));
  EXPECT_THAT(read(wire("30 09"), SIZE_MAX, limits), ElementsAre(HasSubstr("Packet too large")));
  EXPECT_THAT(read(wire("30 ffffff7f"), SIZE_MAX, limits), ElementsAre(HasSubstr("Packet too large")));
  EXPECT_THAT(read(wire("30 ffffff7f")), IsEmpty());
}

TEST(MqttPacketReader, refuses_fixed_headers_that_do_not_hold) {
  const auto fault = [](std::string_view text, Version version = Version::v5) {
    const auto out = read(wire(text), SIZE_MAX, {}, version);
    return out.empty() ? "nothing" : out[0];
  };
  EXPECT_THAT(fault("30 ffffffff01"), HasSubstr("Malformed Packet, a remaining length of more"));  // 1.5.5
  EXPECT_THAT(fault("30 80808080"), HasSubstr("Malformed Packet"));
  EXPECT_THAT(fault("c0 8000"), HasSubstr("longer than it needs to be"));  // [MQTT-1.5.5-1]
  EXPECT_THAT(fault("c0 8000", Version::v3_1_1), HasSubstr("PINGREQ"));
  EXPECT_THAT(fault("00 00"), HasSubstr("reserved type"));
  EXPECT_THAT(fault("f0 00"), HasSubstr("AUTH"));
  EXPECT_THAT(fault("f0 00", Version::v3_1_1), HasSubstr("reserved type"));
  EXPECT_THAT(fault("c0 01 00"), HasSubstr("a ping with a body"));
  for (const std::string_view text : {"11 00", "40 02 0001", "50 02 0001", "60 02 0001", "72 02 0001",
                                      "80 00", "a0 00", "83 00", "c1 00", "e1 00", "f1 00", "6a 02 0001"}) {
    const std::string out = fault(text);  // [MQTT-2.1.3-1]
    if (text == "40 02 0001" || text == "50 02 0001") {
      EXPECT_THAT(out, HasSubstr("0001")) << text;
    } else {
      EXPECT_THAT(out, HasSubstr("Malformed Packet, reserved flags")) << text;
    }
  }
  EXPECT_THAT(fault("6a 02 0001", Version::v3_1), HasSubstr("PUBREL"));
}

TEST(MqttPacketReader, has_nothing_more_after_an_error) {
  PacketReader reader;
  const auto stream = wire("00 00 c0 00");
  Bytes input = stream;
  ASSERT_EQ(reader.next(input, nullptr, {}), PacketReader::Kind::error);
  EXPECT_EQ(reader.next(input, nullptr, {}), PacketReader::Kind::none);
  EXPECT_TRUE(input.empty());
}

}  // namespace
}  // namespace weir::mqtt
