#include "cli/store_names.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

using namespace broker;

std::vector<std::byte> encoded(const std::vector<Change>& changes) {
  std::vector<std::byte> out;
  for (const Change& change : changes) encode_change(change, out);
  return out;
}

PutQueue queue_named(const char* name, std::uint32_t id) {
  QueueDefinition definition;
  definition.vhost = "/";
  definition.name = name;
  definition.id = QueueId{id};
  definition.durable = true;
  return PutQueue{std::move(definition)};
}

TEST(StoreNames, queues_have_the_names_that_definitions_give_them) {
  StoreNames names;
  names.take(encoded({PutVhost{{.name = "/", .description = ""}}, queue_named("tickets", 300)}));
  EXPECT_TRUE(names.knows(QueueId{300}));
  EXPECT_EQ(names.of(QueueId{300}), "queue 'tickets' in vhost '/'");
  EXPECT_FALSE(names.knows(QueueId{301}));
  EXPECT_EQ(names.of(QueueId{301}), "queue 301, which is not defined");
  EXPECT_EQ(names.of(bodies_queue), "the pieces of large bodies");
}

TEST(StoreNames, what_can_not_be_read_is_counted_and_changes_nothing) {
  StoreNames names;
  names.take(encoded({PutVhost{{.name = "/", .description = ""}}, queue_named("tickets", 300)}));
  const std::byte nonsense[] = {std::byte{0xff}, std::byte{0xff}, std::byte{0xff}};
  names.take(nonsense);
  EXPECT_EQ(names.unreadable(), 1U);
  EXPECT_TRUE(names.knows(QueueId{300}));
}

TEST(StoreNames, queues_that_have_messages_and_no_definition_are_made_again) {
  const std::vector<std::byte> contents =
      encoded({PutVhost{{.name = "/", .description = ""}}, queue_named("tickets", 300)});
  StoreNames names;
  names.take(with_recovered_queues(contents, {{QueueId{300}, ShardId{0}}, {QueueId{555}, ShardId{1}}},
                                   QueueId{555}));
  EXPECT_EQ(names.unreadable(), 0U);
  EXPECT_EQ(names.of(QueueId{300}), "queue 'tickets' in vhost '/'");
  EXPECT_EQ(names.of(QueueId{555}), "queue 'recovered-555' in vhost '/'");
  EXPECT_EQ(names.find(QueueId{555})->shard, ShardId{1});
  for (std::uint32_t lane = 0; lane < queue_id_lanes; ++lane)
    EXPECT_GT(names.topology().next_queue_id(lane), QueueId{555})
        << "no new queue gets an id that has messages";
}

TEST(StoreNames, where_nothing_is_left_there_is_a_vhost_and_a_user_afterwards) {
  StoreNames names;
  names.take(with_recovered_queues({}, {{QueueId{7}, ShardId{0}}}, QueueId{7}));
  EXPECT_NE(names.topology().find_vhost("/"), nullptr);
  EXPECT_EQ(names.topology().users().size(), 1U);
  EXPECT_TRUE(names.knows(QueueId{7}));
}

TEST(StoreNames, recovered_queues_go_to_a_vhost_that_is_there) {
  StoreNames names;
  names.take(with_recovered_queues(encoded({PutVhost{{.name = "shop", .description = ""}}}),
                                   {{QueueId{7}, ShardId{0}}}, QueueId{7}));
  EXPECT_EQ(names.of(QueueId{7}), "queue 'recovered-7' in vhost 'shop'");
}

TEST(StoreNames, definitions_that_can_not_be_read_stay_as_they_are) {
  const std::vector<std::byte> nonsense(3, std::byte{0xff});
  EXPECT_EQ(with_recovered_queues(nonsense, {{QueueId{7}, ShardId{0}}}, QueueId{7}), nonsense);
}

}  // namespace
}  // namespace weir::cli
