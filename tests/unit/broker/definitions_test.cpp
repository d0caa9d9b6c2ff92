#include "broker/definitions.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/bytes.h"
#include "unit/broker/sample_changes.h"

namespace weir::broker {
namespace {

void expect_corrupt(Bytes bytes) {
  const auto decoded = decode_changes(bytes);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().code, ErrorCode::corrupt);
}

Table nested(std::size_t depth) {
  Table table;
  if (depth > 1) table.set("in", Value{nested(depth - 1)});
  return table;
}

PutExchange with_arguments(Table arguments) {
  PutExchange change;
  change.exchange.arguments = std::move(arguments);
  return change;
}

TEST(Definitions, every_change_comes_back_as_it_was) {
  const std::vector<Change> changes = one_of_each_change();
  ASSERT_EQ(changes.size(), std::variant_size_v<Change>);
  for (std::size_t i = 0; i < changes.size(); ++i) EXPECT_EQ(changes[i].index(), i);

  const std::vector<std::byte> bytes = encoded(changes);
  const auto decoded = decode_changes(bytes);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  ASSERT_EQ(decoded->size(), changes.size());
  EXPECT_EQ(std::get<PutVhost>(decoded->at(0)).vhost, std::get<PutVhost>(changes[0]).vhost);
  EXPECT_EQ(std::get<RemoveVhost>(decoded->at(1)).name, "old");
  EXPECT_EQ(std::get<PutExchange>(decoded->at(2)).exchange, std::get<PutExchange>(changes[2]).exchange);
  EXPECT_EQ(std::get<RemoveExchange>(decoded->at(3)).vhost, "/");
  EXPECT_EQ(std::get<RemoveExchange>(decoded->at(3)).name, "gone");
  EXPECT_EQ(std::get<PutQueue>(decoded->at(4)).queue, std::get<PutQueue>(changes[4]).queue);
  EXPECT_EQ(std::get<RemoveQueue>(decoded->at(5)).name, "work");
  EXPECT_EQ(std::get<RemoveQueue>(decoded->at(5)).id, QueueId{77});
  EXPECT_EQ(std::get<PutBinding>(decoded->at(6)).binding, std::get<PutBinding>(changes[6]).binding);
  EXPECT_EQ(std::get<RemoveBinding>(decoded->at(7)).binding, std::get<RemoveBinding>(changes[7]).binding);
  EXPECT_EQ(std::get<PutUser>(decoded->at(8)).user, std::get<PutUser>(changes[8]).user);
  EXPECT_EQ(std::get<RemoveUser>(decoded->at(9)).name, "nobody");
  EXPECT_EQ(std::get<PutPermission>(decoded->at(10)).permission,
            std::get<PutPermission>(changes[10]).permission);
  EXPECT_EQ(std::get<RemovePermission>(decoded->at(11)).user, "guest");
  EXPECT_EQ(std::get<RemovePermission>(decoded->at(11)).vhost, "/");
  EXPECT_EQ(std::get<SetNextQueueId>(decoded->at(12)).next, QueueId{78});
}

TEST(Definitions, every_change_of_a_later_kind_comes_back_as_it_was) {
  const std::vector<Change> changes = later_changes();
  const auto decoded = decode_changes(encoded(changes));
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  ASSERT_EQ(decoded->size(), changes.size());
  EXPECT_EQ(std::get<PutTopicPermission>(decoded->at(0)).permission,
            std::get<PutTopicPermission>(changes[0]).permission);
  EXPECT_EQ(std::get<RemoveTopicPermission>(decoded->at(1)).exchange, "events");
  EXPECT_EQ(std::get<PutLimit>(decoded->at(2)).limit, std::get<PutLimit>(changes[2]).limit);
  EXPECT_EQ(std::get<RemoveLimit>(decoded->at(3)).of, LimitOf::vhost);
  EXPECT_EQ(std::get<RemoveLimit>(decoded->at(3)).name, "max-queues");
  EXPECT_EQ(std::get<PutPolicy>(decoded->at(4)).policy, std::get<PutPolicy>(changes[4]).policy);
  EXPECT_EQ(std::get<RemovePolicy>(decoded->at(5)).name, "short");
  EXPECT_TRUE(std::get<RemovePolicy>(decoded->at(5)).of_operator);
  EXPECT_EQ(std::get<PutParameter>(decoded->at(6)).parameter, std::get<PutParameter>(changes[6]).parameter);
  EXPECT_EQ(std::get<RemoveParameter>(decoded->at(7)).component, "shovel");
}

TEST(Definitions, of_a_vhost_have_its_metadata_in_a_version_of_their_own) {
  const std::vector<std::byte> bytes = encoded({vhost_with_metadata()});
  EXPECT_EQ(bytes[1], std::byte{2});
  const auto decoded = decode_changes(bytes);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  EXPECT_EQ(std::get<PutVhost>(decoded->front()).vhost, std::get<PutVhost>(vhost_with_metadata()).vhost);
}

TEST(Definitions, in_a_later_version_than_they_need_are_corrupt) {
  std::vector<std::byte> bytes = encoded({PutVhost{{.name = "v", .description = "d"}}});
  EXPECT_EQ(bytes[1], std::byte{1});
  bytes[1] = std::byte{2};
  bytes.resize(bytes.size() + 4);  // no tags, no type
  store_le(bytes.data() + 2, load_le<std::uint32_t>(bytes.data() + 2) + 4);
  expect_corrupt(bytes);
}

TEST(Definitions, fields_of_a_table_keep_their_order) {
  const auto decoded = decode_changes(encoded({with_arguments(every_kind_of_value())}));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(std::get<PutExchange>(decoded->front()).exchange.arguments.fields(),
            every_kind_of_value().fields());
}

// Data directories that exist hold these bytes. A new version of a change needs a new version number and its own
// golden file; these have to stay readable.
void expect_as_in(const std::string& golden_file, const std::vector<Change>& changes) {
  std::ifstream file(std::string(WEIR_TESTS_DIR) + "/golden/" + golden_file, std::ios::binary);
  const std::string golden{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  ASSERT_FALSE(golden.empty());
  const std::vector<std::byte> written = encoded(changes);
  EXPECT_TRUE(as_text(written) == golden);
  const auto decoded = decode_changes(as_bytes(golden));
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  EXPECT_EQ(encoded(*decoded), written);
}

TEST(Definitions, are_written_and_read_as_in_the_golden_files) {
  expect_as_in("definitions-v1.bin", first_changes());
  std::vector<Change> later = later_changes();
  later.push_back(vhost_with_metadata());
  expect_as_in("definitions-v2.bin", later);
}

TEST(Definitions, nothing_at_all_is_no_changes) {
  const auto decoded = decode_changes({});
  ASSERT_TRUE(decoded.has_value());
  EXPECT_TRUE(decoded->empty());
}

TEST(Definitions, are_corrupt_when_cut_off_anywhere_but_between_changes) {
  for (const Change& change : one_of_each_change()) {
    const std::vector<std::byte> bytes = encoded({change});
    for (std::size_t size = 1; size < bytes.size(); ++size) expect_corrupt(Bytes(bytes).first(size));
  }
}

TEST(Definitions, are_corrupt_when_a_payload_ends_early_or_late) {
  for (const Change& change : one_of_each_change()) {
    const std::vector<std::byte> bytes = encoded({change});
    const auto payload_bytes = load_le<std::uint32_t>(bytes.data() + 2);
    for (const std::uint32_t wrong : {payload_bytes - 1, payload_bytes + 1}) {
      std::vector<std::byte> altered = bytes;
      altered.resize(6 + wrong);
      store_le(altered.data() + 2, wrong);
      expect_corrupt(altered);
    }
  }
}

TEST(Definitions, of_an_unknown_kind_are_corrupt) {
  std::vector<std::byte> bytes = encoded({SetNextQueueId{QueueId{1}}});
  for (const unsigned kind : {0U, 22U, 255U}) {
    bytes[0] = static_cast<std::byte>(kind);
    expect_corrupt(bytes);
  }
}

TEST(Definitions, of_another_version_are_refused_with_both_versions_in_the_text) {
  std::vector<std::byte> bytes = encoded({SetNextQueueId{QueueId{1}}});
  bytes[1] = std::byte{2};
  const auto decoded = decode_changes(bytes);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().message, "definitions: a change has version 2, this server reads version 1");
}

TEST(Definitions, with_a_name_that_is_too_long_are_corrupt) {
  EXPECT_TRUE(decode_changes(encoded({RemoveVhost{std::string(255, 'v')}})).has_value());
  expect_corrupt(encoded({RemoveVhost{std::string(256, 'v')}}));
}

TEST(Definitions, with_an_unknown_exchange_type_or_flag_are_corrupt) {
  PutExchange change;
  for (const std::size_t from_end : {6U, 5U}) {  // type, flags, then the u32 count of an empty table
    std::vector<std::byte> bytes = encoded({change});
    bytes[bytes.size() - from_end] = std::byte{0x10};
    expect_corrupt(bytes);
  }
}

TEST(Definitions, with_a_shard_that_can_not_exist_are_corrupt) {
  PutQueue change;
  change.queue.shard = ShardId{64};
  expect_corrupt(encoded({change}));
}

TEST(Definitions, with_tables_in_tables_are_read_up_to_the_limit_of_depth) {
  EXPECT_TRUE(decode_changes(encoded({with_arguments(nested(32))})).has_value());
  expect_corrupt(encoded({with_arguments(nested(33))}));
}

TEST(Definitions, with_a_repeated_key_are_corrupt) {
  Table table;
  table.append("same", Value{true});
  table.append("same", Value{false});
  expect_corrupt(encoded({with_arguments(table)}));
}

TEST(Definitions, with_a_count_of_fields_beyond_the_payload_are_corrupt_and_allocate_nothing) {
  std::vector<std::byte> bytes = encoded({PutExchange{}});
  store_le(bytes.data() + bytes.size() - 4, 0xffff'ffffU);
  expect_corrupt(bytes);
}

TEST(ExchangeType, has_the_name_that_clients_use) {
  EXPECT_EQ(to_string(ExchangeType::direct), "direct");
  EXPECT_EQ(to_string(ExchangeType::fanout), "fanout");
  EXPECT_EQ(to_string(ExchangeType::topic), "topic");
  EXPECT_EQ(to_string(ExchangeType::headers), "headers");
}

}  // namespace
}  // namespace weir::broker
