#include "broker/attributes.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "broker/death_history.h"
#include "broker/message_extras.h"

namespace weir::broker {

namespace {

constexpr std::uint64_t now_ms = 1'700'000'000'123;

std::vector<std::byte> encoded(const MessageAttributes& attributes) {
  std::vector<std::byte> out;
  encode_attributes(attributes, out);
  return out;
}

MessageAttributes everything() {
  return {.expires_ms = now_ms + 5,
          .deliver_ms = now_ms + 1,
          .group = 0x1122334455667788,
          .pieces_end = 0x8877665544332211,
          .body_bytes = 70'000,
          .returns = 300,
          .priority = 9,
          .leaving = 4};
}

}  // namespace

TEST(Attributes, of_a_plain_message_are_no_bytes) {
  EXPECT_TRUE(encoded({}).empty());
  const auto decoded = decode_attributes({});
  ASSERT_TRUE(decoded.has_value());
  EXPECT_TRUE(decoded->none());
}

TEST(Attributes, come_back_as_they_were_each_alone_and_all_together) {
  std::vector<MessageAttributes> samples{everything()};
  samples.push_back({.expires_ms = now_ms});
  samples.push_back({.deliver_ms = now_ms});
  samples.push_back({.group = 1});
  samples.push_back({.pieces_end = 1});
  samples.push_back({.body_bytes = 1});
  samples.push_back({.returns = 1});
  samples.push_back({.priority = 255});
  samples.push_back({.leaving = 1});
  for (const MessageAttributes& sample : samples) {
    const std::vector<std::byte> bytes = encoded(sample);
    EXPECT_LE(bytes.size(), attributes_bytes_max);
    const auto decoded = decode_attributes(bytes);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, sample);
  }
}

TEST(Attributes, are_written_and_read_as_in_the_golden_file) {
  std::ifstream file(std::string(WEIR_TESTS_DIR) + "/golden/attributes-v1.bin", std::ios::binary);
  const std::string golden{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  ASSERT_FALSE(golden.empty());
  EXPECT_TRUE(as_text(encoded(everything())) == golden);
  const auto decoded = decode_attributes(as_bytes(golden));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, everything());
}

TEST(Attributes, that_are_cut_off_or_followed_by_more_are_corrupt) {
  std::vector<std::byte> bytes = encoded(everything());
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_attributes(Bytes(bytes).first(size)).has_value()) << size;
  }
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(decode_attributes(bytes).has_value());
}

TEST(Attributes, have_one_form_only) {
  const std::vector<std::byte> zero_priority{std::byte{1U << 5}, std::byte{0}};
  EXPECT_FALSE(decode_attributes(zero_priority).has_value());
  const std::vector<std::byte> nothing{std::byte{0}};
  EXPECT_FALSE(decode_attributes(nothing).has_value());
  const std::vector<std::byte> unknown{std::byte{0x80}};
  EXPECT_FALSE(decode_attributes(unknown).has_value());
  const std::vector<std::byte> no_reason{std::byte{1U << 6}, std::byte{6}};
  EXPECT_FALSE(decode_attributes(no_reason).has_value());
}

TEST(CompactTime, keeps_milliseconds_and_becomes_the_nearest_where_it_does_not_reach) {
  EXPECT_EQ(expand_time(compact_time(0)), 0U);
  EXPECT_EQ(expand_time(compact_time(now_ms)), now_ms);
  EXPECT_EQ(expand_time(compact_time(5)), compact_epoch_ms + 1);
  EXPECT_EQ(expand_time(compact_time(UINT64_MAX)), compact_epoch_ms + compact_time_max);
}

TEST(Extras, come_back_as_they_were) {
  MessageExtras extras;
  extras.ttl_ms = 0;
  extras.deliver_ms = now_ms;
  extras.group = 77;
  extras.origin = LetterOrigin{QueueId{3}, Seq{99}};
  std::vector<std::byte> bytes;
  append_extras(bytes, extras);
  const auto decoded = decode_extras(bytes);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->ttl_ms, 0U);
  EXPECT_EQ(decoded->deliver_ms, now_ms);
  EXPECT_EQ(decoded->group, 77U);
  EXPECT_EQ(decoded->origin, extras.origin);
  EXPECT_TRUE(decoded->deaths.empty());
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_extras(Bytes(bytes).first(size)).has_value()) << size;
  }
}

TEST(Extras, are_written_and_read_as_in_the_golden_file) {
  DeathHistory history;
  Death first;
  first.reason = DeathReason::delivery_limit;
  first.time_ms = now_ms;
  first.queue = "first";
  first.exchange = "x";
  first.routing_key = "k";
  history.record(first);
  Death second;
  second.reason = DeathReason::expired;
  second.ttl_ms = 70;
  second.time_ms = now_ms + 1;
  second.queue = second.routing_key = "second";
  second.more_keys = {"further", ""};
  second.rekeyed = true;
  history.record(second);
  const std::vector<std::byte> deaths = encode_deaths(history);
  const std::vector<std::string_view> keys{"blind", ""};
  const std::vector<std::byte> blind_keys = encode_blind_keys(keys);
  const MessageExtras extras{.ttl_ms = 0x0102'0304,
                             .deliver_ms = now_ms,
                             .group = 0x1122'3344'5566'7788,
                             .origin = LetterOrigin{QueueId{3}, Seq{99}},
                             .id = DedupId{0x0807'0605'0403'0201, 0x100f'0e0d'0c0b'0a09},
                             .pieces = BodyPieces{Seq{1'000'000}, 786'432},
                             .blind_keys = blind_keys,
                             .deaths = deaths};
  std::vector<std::byte> now;
  append_extras(now, extras);
  const std::string path = std::string(WEIR_TESTS_DIR) + "/golden/extras-v1.bin";
  if (std::getenv("WEIR_UPDATE_GOLDEN") != nullptr)
    std::ofstream(path, std::ios::binary) << std::string_view(as_text(now));
  std::ifstream file(path, std::ios::binary);
  const std::string golden{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_TRUE(as_text(now) == golden);
  const auto decoded = decode_extras(as_bytes(golden));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->ttl_ms, extras.ttl_ms);
  EXPECT_EQ(decoded->deliver_ms, extras.deliver_ms);
  EXPECT_EQ(decoded->group, extras.group);
  EXPECT_EQ(decoded->origin, extras.origin);
  EXPECT_EQ(decoded->id, extras.id);
  EXPECT_EQ(decoded->pieces, extras.pieces);
  EXPECT_EQ(blind_keys_of(decoded->blind_keys), keys);
  EXPECT_EQ(decode_deaths(decoded->deaths).value(), history);
}

TEST(Extras, keep_the_keys_that_receivers_do_not_see) {
  const std::vector<std::string_view> keys{"one", "", "three"};
  const std::vector<std::byte> encoded = encode_blind_keys(keys);
  for (const bool with_deaths : {false, true}) {
    DeathHistory history;
    Death death;
    death.reason = DeathReason::rejected;
    death.queue = "q";
    history.record(death);
    const std::vector<std::byte> deaths = with_deaths ? encode_deaths(history) : std::vector<std::byte>();
    MessageExtras extras;
    extras.ttl_ms = 5;
    extras.blind_keys = encoded;
    extras.deaths = deaths;
    std::vector<std::byte> bytes;
    append_extras(bytes, extras);
    const auto decoded = decode_extras(bytes);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(blind_keys_of(decoded->blind_keys), keys);
    EXPECT_EQ(decoded->deaths.size(), deaths.size());
    for (std::size_t size = 1; size < bytes.size(); ++size) {
      const bool whole_without_deaths = with_deaths && size == bytes.size() - deaths.size();
      EXPECT_FALSE(decode_extras(Bytes(bytes).first(size)).has_value() && !whole_without_deaths) << size;
    }
  }
  EXPECT_TRUE(encode_blind_keys({}).empty());
  const std::string too_long(256, 'x'), long_key(255, 'x');
  const std::vector<std::string_view> unfit{too_long};
  EXPECT_TRUE(encode_blind_keys(unfit).empty());
  const std::vector<std::string_view> many(400, long_key);
  EXPECT_LE(encode_blind_keys(many).size(), blind_keys_bytes_max);
  const std::vector<std::string_view> more(400, "k");
  EXPECT_EQ(blind_keys_of(encode_blind_keys(more)).size(), 255U);
}

TEST(Extras, of_a_plain_message_are_no_bytes) {
  std::vector<std::byte> bytes;
  append_extras(bytes, {});
  EXPECT_TRUE(bytes.empty());
  EXPECT_TRUE(decode_extras({}).has_value());
}

}  // namespace weir::broker
