// Messages that wait at an exchange until they are due.
#include <algorithm>
#include <map>

#include "base/rng.h"
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;

class Delayed : public NodeTest {
 protected:
  static broker::Table of_type(const std::string& type, const char* alternate = nullptr) {
    broker::Table arguments;
    arguments.set("x-delayed-type", {type});
    if (alternate != nullptr) arguments.set("alternate-exchange", {std::string(alternate)});
    return arguments;
  }
  static TestMessage delayed(const std::string& key, const std::string& body, std::int64_t ms,
                             bool persistent = true) {
    TestMessage message{"later", key, body, persistent};
    message.headers.set("x-delay", {ms});
    return message;
  }
  void publish(TestSession& client, const std::vector<TestMessage>& messages) {
    for (const Result<PublishResult>& result : client.publish(messages)) {
      ASSERT_TRUE(result && *result == PublishResult::routed);
    }
    ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  }
  std::vector<std::string> drain(const std::string& queue) {
    std::vector<std::string> bodies;
    TestSession& reader = session();
    while (const auto got = reader.get(queue, true)) bodies.push_back(got->body);
    return bodies;
  }
  const broker::Queue* waiting(const std::string& exchange = "later") {
    const broker::QueueDefinition* const own = node->shard(0).topology().find_own_queue("/", exchange);
    return own == nullptr ? nullptr : node->shard(own->shard.value).host().find(own->id);
  }
};

// The exchange's shard and the queue's: the same, and two.
class DelayedOverShards : public Delayed, public testing::WithParamInterface<std::uint16_t> {
 protected:
  void SetUp() override {
    start(GetParam());
    client = &session();
    ASSERT_TRUE(client->declare_exchange("later", "x-delayed-message", of_type("direct")));
  }
  TestSession* client = nullptr;
};
INSTANTIATE_TEST_SUITE_P(Shards, DelayedOverShards, testing::Values(1, 4));

TEST_P(DelayedOverShards, messages_come_in_the_order_in_which_they_are_due_and_hardly_late) {
  client->declare("q");
  ASSERT_TRUE(client->bind("later", "q", "k"));
  client->consume("q", 1, 0, true);
  Rng rng(3);
  std::vector<TestMessage> messages;
  std::map<std::string, std::uint64_t> due_ms;
  const std::uint64_t now_ms = node->clock().wall_ms();
  for (int i = 0; i < 2'000; ++i) {
    const std::uint64_t delay_ms = 50 + rng.below(3'000);
    const std::string body = std::to_string(i);
    messages.push_back(delayed("k", body, static_cast<std::int64_t>(delay_ms), i % 3 != 0));
    due_ms[body] = now_ms + delay_ms;
  }
  std::vector<std::uint64_t> late_ms, dues;
  client->on_message = [&](const TakenDelivery& taken) {
    dues.push_back(due_ms[taken.body]);
    late_ms.push_back(node->clock().wall_ms() - due_ms[taken.body]);
  };
  publish(*client, messages);
  EXPECT_THAT(late_ms, IsEmpty());
  for (int ms = 0; ms < 3'200; ++ms) node->pass_ms(1);
  ASSERT_EQ(late_ms.size(), messages.size());
  EXPECT_TRUE(std::is_sorted(dues.begin(), dues.end()));
  std::sort(late_ms.begin(), late_ms.end());
  EXPECT_LE(late_ms[late_ms.size() * 99 / 100], 20U);
  EXPECT_EQ(waiting()->total(), 0U);
}

TEST_P(DelayedOverShards, bindings_count_as_they_are_when_a_message_is_due) {
  client->declare("before");
  ASSERT_TRUE(client->bind("later", "before", "k"));
  publish(*client, {delayed("k", "one", 100)});
  client->ask([](Session& session) { session.delete_queue("before", false, false); });
  client->declare("after");
  ASSERT_TRUE(client->bind("later", "after", "k"));
  node->pass_ms(150);
  EXPECT_THAT(drain("after"), ElementsAre("one"));
}

TEST_P(DelayedOverShards, what_waits_survives_crashes_checkpoints_and_clocks) {
  options.journal.checkpoint_bytes = 64U << 10;
  restart();
  constexpr std::int64_t months_ms = 90LL * 24 * 3'600 * 1'000;
  TestSession& publisher = session();
  publisher.declare("q");
  publisher.declare("busy");
  ASSERT_TRUE(publisher.bind("later", "q", "k"));
  publish(publisher, {delayed("k", "far", months_ms), delayed("k", "near", 20'000)});
  for (int i = 0; i < 200; ++i) publisher.publish_to("busy", {std::string(3'000, 'x')});
  crash();
  EXPECT_EQ(waiting()->held(), 2U);
  EXPECT_EQ(waiting()->ready(), 0U);
  // Back in time, by which nothing comes sooner, and then far ahead.
  options.wall_offset_ms = -100'000;
  crash();
  node->pass_ms(1'000);
  EXPECT_THAT(drain("q"), IsEmpty());
  options.wall_offset_ms = 30'000;
  restart();
  node->pass_ms(50);
  EXPECT_THAT(drain("q"), ElementsAre("near"));
  restart();
  node->pass_ms(50);
  EXPECT_THAT(drain("q"), IsEmpty()) << "it had been forwarded";
  EXPECT_EQ(waiting()->held(), 1U);
  options.wall_offset_ms = months_ms;
  crash();
  node->pass_ms(50);
  EXPECT_THAT(drain("q"), ElementsAre("far"));
}

TEST_P(DelayedOverShards, a_full_queue_gets_it_when_it_has_room) {
  broker::Table limited;
  limited.set("x-max-length", {std::int64_t{1}});
  limited.set("x-overflow", {std::string("reject-publish")});
  client->declare("full", limited);
  ASSERT_TRUE(client->bind("later", "full", "k"));
  client->publish_to("full", {"first"});
  publish(*client, {delayed("k", "second", 50)});
  node->pass_ms(3'000);
  EXPECT_EQ(waiting()->held(), 1U);
  EXPECT_THAT(drain("full"), ElementsAre("first"));
  node->pass_ms(1'100);
  EXPECT_THAT(drain("full"), ElementsAre("second"));
  EXPECT_EQ(waiting()->total(), 0U);
}

TEST_P(DelayedOverShards, they_go_with_their_exchange) {
  client->declare("q");
  ASSERT_TRUE(client->bind("later", "q", "k"));
  publish(*client, {delayed("k", "one", 100)});
  client->ask([](Session& session) { session.delete_exchange({"/", "later", false}); });
  EXPECT_EQ(waiting(), nullptr);
  crash();
  node->pass_ms(200);
  EXPECT_THAT(drain("q"), IsEmpty());
}

TEST_F(Delayed, messages_without_a_delay_go_at_once) {
  start();
  TestSession& client = session();
  ASSERT_TRUE(client.declare_exchange("later", "x-delayed-message", of_type("topic")));
  client.declare("q");
  ASSERT_TRUE(client.bind("later", "q", "a.#"));
  publish(client, {{"later", "a.b", "none"}, delayed("a.b", "zero", 0), delayed("a", "negative", -5)});
  EXPECT_THAT(drain("q"), ElementsAre("none", "zero", "negative"));
}

TEST_F(Delayed, alternate_exchanges_get_only_what_nobody_wants_when_it_is_due) {
  start();
  TestSession& client = session();
  ASSERT_TRUE(client.declare_exchange("later", "x-delayed-message", of_type("direct", "amq.fanout")));
  client.declare("q");
  client.declare("rest");
  ASSERT_TRUE(client.bind("later", "q", "k"));
  ASSERT_TRUE(client.bind("amq.fanout", "rest"));
  publish(client, {delayed("k", "wanted", 50), delayed("other", "unwanted", 50)});
  EXPECT_EQ(client.ready("rest"), 0U);
  node->pass_ms(100);
  EXPECT_THAT(drain("q"), ElementsAre("wanted"));
  EXPECT_THAT(drain("rest"), ElementsAre("unwanted"));
}

TEST_F(Delayed, what_nobody_wants_when_it_is_due_is_dropped) {
  start();
  TestSession& client = session();
  ASSERT_TRUE(client.declare_exchange("later", "x-delayed-message", of_type("direct")));
  publish(client, {delayed("k", "one", 50)});
  EXPECT_EQ(waiting()->held(), 1U);
  node->pass_ms(100);
  EXPECT_EQ(waiting()->total(), 0U);
}

TEST_F(Delayed, two_exchanges_in_a_row_let_a_message_wait_once) {
  start();
  TestSession& client = session();
  ASSERT_TRUE(client.declare_exchange("later", "x-delayed-message", of_type("fanout")));
  ASSERT_TRUE(client.declare_exchange("still-later", "x-delayed-message", of_type("fanout")));
  client.declare("q");
  ASSERT_TRUE(client.bind("still-later", "q"));
  const Reply bound = client.ask([](Session& session) {
    session.bind({.vhost = "/",
                  .source = "later",
                  .kind = broker::DestinationKind::exchange,
                  .destination = "still-later",
                  .routing_key = "",
                  .arguments = {}});
  });
  ASSERT_TRUE(bound);
  publish(client, {delayed("k", "one", 50)});
  node->pass_ms(70);
  EXPECT_THAT(drain("q"), ElementsAre("one"));
}

TEST_F(Delayed, a_time_to_live_begins_when_it_is_due) {
  start();
  TestSession& client = session();
  ASSERT_TRUE(client.declare_exchange("later", "x-delayed-message", of_type("fanout")));
  client.declare("q");
  ASSERT_TRUE(client.bind("later", "q"));
  TestMessage message = delayed("k", "one", 200);
  message.extras.ttl_ms = 100;
  publish(client, {message});
  node->pass_ms(250);
  EXPECT_EQ(client.ready("q"), 1U);
  node->pass_ms(100);
  EXPECT_EQ(client.ready("q"), 0U);
}

TEST_F(Delayed, no_client_comes_near_what_waits) {
  start();
  TestSession& client = session();
  ASSERT_TRUE(client.declare_exchange("later", "x-delayed-message", of_type("fanout")));
  publish(client, {delayed("k", "one", 1'000)});
  const Reply got = client.ask([](Session& session) { session.get("later", true); });
  EXPECT_FALSE(got);
  const auto routed = client.publish({{"", "later", "x"}});
  EXPECT_EQ(*routed.front(), PublishResult::unroutable);
  client.declare("later");  // a queue of that name is another one
  client.publish_to("later", {"mine"});
  EXPECT_THAT(drain("later"), ElementsAre("mine"));
  EXPECT_EQ(waiting()->held(), 1U);
}

// --- recent history: the other type with a queue of its own ---

class RecentHistory : public Delayed {
 protected:
  void SetUp() override {
    start(2);
    client = &session();
    broker::Table arguments;
    arguments.set("x-recent-history-length", {std::int64_t{3}});
    ASSERT_TRUE(client->declare_exchange("recent", "x-recent-history", arguments));
    publish(*client, {{"recent", "k", "a"},
                      {"recent", "k", "b", false},
                      {"recent", "k", "c"},
                      no_store("d"),
                      {"recent", "k", "e"}});
    settle();
  }
  static TestMessage no_store(const std::string& body) {
    TestMessage message{"recent", "k", body};
    message.headers.set("x-recent-history-no-store", {true});
    return message;
  }
  // Nobody may be there to take it.
  void publish(TestSession& by, const std::vector<TestMessage>& messages) {
    by.publish(messages);
    ASSERT_TRUE(node->until([&] { return by.all_confirmed(); }));
  }
  TestSession* client = nullptr;
};

TEST_F(RecentHistory, who_binds_gets_the_last_messages_and_then_all) {
  for (const std::string& queue : {queue_on(0, "first"), queue_on(1, "second")}) {
    client->declare(queue);
    ASSERT_TRUE(client->bind("recent", queue, "anything"));
    settle();
    publish(*client, {no_store("now")});
    settle();
    EXPECT_THAT(drain(queue), ElementsAre("b", "c", "e", "now"));
  }
}

TEST_F(RecentHistory, an_exchange_that_is_bound_routes_the_last_messages) {
  client->declare("q");
  ASSERT_TRUE(client->declare_exchange("x", "direct"));
  ASSERT_TRUE(client->bind("x", "q", "k"));
  const Reply bound = client->ask([](Session& session) {
    session.bind({.vhost = "/",
                  .source = "recent",
                  .kind = broker::DestinationKind::exchange,
                  .destination = "x",
                  .routing_key = "",
                  .arguments = {}});
  });
  ASSERT_TRUE(bound);
  settle();
  EXPECT_THAT(drain("q"), ElementsAre("b", "c", "e"));
}

TEST_F(RecentHistory, that_is_bound_to_itself_is_told_once) {
  const Reply bound = client->ask([](Session& session) {
    session.bind({"/", "recent", broker::DestinationKind::exchange, "recent", "", {}});
  });
  ASSERT_TRUE(bound);
  settle();
  client->declare("q");
  ASSERT_TRUE(client->bind("recent", "q"));
  settle();
  EXPECT_EQ(client->ready("q"), 3U);
}

TEST_F(RecentHistory, is_in_memory_only) {
  restart();
  TestSession& later = session();
  later.declare("q");
  ASSERT_TRUE(later.bind("recent", "q"));
  settle();
  EXPECT_THAT(drain("q"), IsEmpty());
}

}  // namespace weir::node
