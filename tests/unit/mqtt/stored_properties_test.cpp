// The form in which messages are on disk: these bytes were written once, and have to be read for ever.
#include "protocol/mqtt/stored_properties.h"

#include <gtest/gtest.h>

#include "protocol/mqtt/marks.h"

namespace weir::mqtt {
namespace {

std::string hex(Bytes bytes) {
  std::string out;
  for (const std::byte byte : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += digits[static_cast<unsigned>(byte) >> 4U];
    out += digits[static_cast<unsigned>(byte) & 15U];
  }
  return out;
}

TEST(StoredProperties, are_these_bytes) {
  std::vector<std::byte> user;
  append_user_property(user, "a", "b");
  PublishProperties properties;
  properties.payload_format = 1;
  properties.message_expiry_s = 7;  // of a hop: not stored
  properties.content_type = "t";
  properties.response_topic = "r/s";
  properties.correlation_data = as_bytes("c");
  properties.user = UserProperties(user);
  std::vector<std::byte> stored;
  append_stored(stored, {.qos = 2, .retain = true, .publisher = 0x0102030405060708}, properties);
  EXPECT_EQ(hex(stored),
            "060807060504030201"
            "0101"
            "03000174"
            "080003722f73"
            "09000163"
            "26000161000162");
  const StoredMark mark = mark_of(stored);
  EXPECT_EQ(mark.qos, 2);
  EXPECT_TRUE(mark.retain);
  EXPECT_FALSE(mark.of_store);
  EXPECT_EQ(mark.publisher, 0x0102030405060708U);
  EXPECT_EQ(header_text(stored, "a"), "b");
  EXPECT_EQ(property_of(stored, "content_type"), "t");
}

TEST(StoredProperties, have_their_topic_with_them_when_the_store_of_retained_messages_sends_them) {
  std::vector<std::byte> stored, sent;
  append_stored(stored, {.qos = 1, .retain = true}, {});
  append_of_store(sent, stored, "a.b/c");
  EXPECT_EQ(hex(sent),
            "0d0000000000000000"
            "0500612e622f63");
  EXPECT_EQ(topic_behind(sent), "a.b/c");
  EXPECT_TRUE(list_of(sent).empty());
  EXPECT_TRUE(mark_of(sent).of_store);
}

TEST(StoredProperties, that_are_cut_short_have_nothing) {
  std::vector<std::byte> stored, sent;
  append_stored(stored, {.qos = 1}, {});
  append_of_store(sent, stored, "topic");
  for (std::size_t bytes = 0; bytes < sent.size(); ++bytes) {
    const Bytes cut = Bytes(sent).first(bytes);
    EXPECT_LE(topic_behind(cut).size(), 5U);
    EXPECT_TRUE(list_of(cut).empty());
    EXPECT_TRUE(headers_of(cut).empty());
  }
}

TEST(Mark, is_these_bytes) {
  EXPECT_EQ(hex(encode_mark({MarkKind::released, 0x0102})), "020201");
  const auto mark = decode_mark(encode_mark({MarkKind::received, 9}));
  ASSERT_TRUE(mark.has_value());
  EXPECT_EQ(mark->kind, MarkKind::received);
  EXPECT_EQ(mark->packet_id, 9);
  for (const std::string_view wrong : {"", "\1\1", "\3\1\0", "\1\1\0\0"})
    EXPECT_FALSE(decode_mark(as_bytes(wrong)).has_value());
}

TEST(Mark, queues_lie_on_the_shard_that_they_are_for) {
  for (std::uint16_t shards = 1; shards <= 8; ++shards) {
    for (std::uint16_t shard = 0; shard < shards; ++shard) {
      const std::string name = mark_queue("/", "client", ShardId{shard}, shards);
      EXPECT_EQ(broker::place_queue("/", name, shards), ShardId{shard});
      EXPECT_EQ(name, mark_queue("/", "client", ShardId{shard}, shards));
    }
  }
}

}  // namespace
}  // namespace weir::mqtt
