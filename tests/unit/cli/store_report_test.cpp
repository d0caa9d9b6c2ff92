#include "cli/store_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace weir::cli {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

// Definitions of one queue.
struct SomeNames : StoreNames {
  SomeNames();
};

SomeNames::SomeNames() {
  std::vector<std::byte> changes;
  broker::encode_change(broker::PutVhost{{.name = "/", .description = ""}}, changes);
  broker::QueueDefinition definition;
  definition.vhost = "/";
  definition.name = "tickets \"1\"";
  definition.id = QueueId{300};
  broker::encode_change(broker::PutQueue{std::move(definition)}, changes);
  take(changes);
}

StoreReport whole_report() {
  StoreReport report;
  report.directory = "/data";
  report.identity.node_id = "0123";
  storage::ShardReport shard;
  shard.files.push_back(
      {.name = "journal-1", .kind = storage::FileKind::log, .bytes = 8192, .note = "", .counts = {}});
  shard.queues[QueueId{300}].messages = 5;
  shard.queues[QueueId{999}].messages = 7;  // of a queue that was deleted
  shard.clean = true;
  report.shards.push_back(std::move(shard));
  return report;
}

storage::Finding some_finding() {
  return {.file = "journal-1",
          .offset = 4096,
          .bytes = 512,
          .what = "a checksum does not hold",
          .severity = storage::Severity::loss,
          .messages = {{QueueId{300}, Seq{17}, 2}}};
}

TEST(StoreReport, a_whole_directory_says_so_and_counts_messages_of_defined_queues) {
  const SomeNames names;
  const StoreReport report = whole_report();
  EXPECT_TRUE(report.whole(names));
  const std::string text = report_as_text(report, names);
  EXPECT_THAT(text, HasSubstr("queue 'tickets \"1\"' in vhost '/': 5 messages\n"));
  EXPECT_THAT(text, HasSubstr("whole: everything holds its checksums"));
  EXPECT_THAT(text, Not(HasSubstr("999")));
}

TEST(StoreReport, damage_is_told_with_its_place_and_its_messages) {
  const SomeNames names;
  StoreReport report = whole_report();
  report.shards[0].findings.push_back(some_finding());
  EXPECT_FALSE(report.whole(names));
  const std::string text = report_as_text(report, names);
  EXPECT_THAT(text, HasSubstr("shard-00/journal-1, 512 bytes at 4096: a checksum does not hold"));
  EXPECT_THAT(text, HasSubstr("messages 17 to 18 of queue 'tickets \"1\"'"));
  EXPECT_THAT(text, HasSubstr("damaged: see docs/operations.md"));
}

TEST(StoreReport, lost_messages_are_damage_even_where_every_file_is_whole) {
  const SomeNames names;
  StoreReport report = whole_report();
  report.shards[0].queues[QueueId{300}].lost = 2;
  EXPECT_FALSE(report.whole(names));
  const std::string text = report_as_text(report, names);
  EXPECT_THAT(text, HasSubstr(": 3 messages, 2 more are LOST"));
  EXPECT_THAT(text, HasSubstr("lost: 2 messages of queue"));
}

TEST(StoreReport, what_was_lost_of_a_deleted_queue_is_no_damage) {
  const SomeNames names;
  StoreReport report = whole_report();
  report.shards[0].queues[QueueId{999}].lost = 7;
  EXPECT_TRUE(report.whole(names));
}

TEST(StoreReport, an_identity_or_definitions_that_can_not_be_read_are_damage) {
  SomeNames names;
  StoreReport report = whole_report();
  report.identity_damage = "node.id is missing";
  EXPECT_FALSE(report.whole(names));
  EXPECT_THAT(report_as_text(report, names), HasSubstr("damage (refuses to start): node.id is missing"));
  report.identity_damage.clear();
  const std::byte nonsense[] = {std::byte{0xff}, std::byte{0xff}};
  names.take(nonsense);
  EXPECT_FALSE(report.whole(names));
  EXPECT_THAT(report_as_text(report, names), HasSubstr("1 records of definitions can't be read"));
}

TEST(StoreReport, its_json_is_json_whatever_names_hold) {
  const SomeNames names;
  StoreReport report = whole_report();
  report.directory = "/da\"ta\n";
  report.shards[0].findings.push_back(some_finding());
  const json::value all = json::parse(report_as_json(report, names));
  EXPECT_EQ(all.at("directory"), "/da\"ta\n");
  EXPECT_EQ(all.at("whole"), false);
  EXPECT_EQ(all.at_pointer("/shards/0/queues/0/name"), "tickets \"1\"");
  EXPECT_EQ(all.at_pointer("/shards/0/queues/0/messages"), 5);
  EXPECT_EQ(all.at_pointer("/shards/0/findings/0/offset"), 4096);
  EXPECT_EQ(all.at_pointer("/shards/0/findings/0/messages/0/first"), 17);
}

}  // namespace
}  // namespace weir::cli
