// Messages and queues that end by themselves.
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;

class Times : public NodeTest {
 protected:
  static broker::Table ttl(std::int64_t ms) {
    broker::Table arguments;
    arguments.set("x-message-ttl", {ms});
    return arguments;
  }
  static TestMessage expiring(const std::string& queue, const std::string& body, std::uint32_t ttl_ms,
                              bool persistent = true) {
    TestMessage message{"", queue, body, persistent};
    message.extras.ttl_ms = ttl_ms;
    return message;
  }
  void publish(TestSession& client, const std::vector<TestMessage>& messages) {
    client.publish(messages);
    ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  }
  std::vector<std::string> drain(const std::string& queue) {
    std::vector<std::string> bodies;
    TestSession& reader = session();
    while (const auto got = reader.get(queue, true)) bodies.push_back(got->body);
    return bodies;
  }
};

TEST_F(Times, a_message_expires_between_others_that_stay) {
  start(2);
  TestSession& client = session(1);
  for (const bool persistent : {true, false}) {
    const std::string queue = queue_on(0, persistent ? "p" : "t");
    client.declare(queue);
    publish(client, {{"", queue, "a", persistent},
                     expiring(queue, "b", 100, persistent),
                     {"", queue, "c", persistent},
                     expiring(queue, "d", 300, persistent)});
    node->pass_ms(90);
    EXPECT_EQ(client.ready(queue), 4U);
    node->pass_ms(30);
    EXPECT_EQ(client.ready(queue), 3U);
    EXPECT_THAT(drain(queue), ElementsAre("a", "c", "d"));
  }
}

TEST_F(Times, of_two_times_to_live_the_shorter_one_counts) {
  start();
  TestSession& client = session();
  client.declare("q", ttl(200));
  publish(client, {expiring("q", "short", 50), expiring("q", "long", 5'000), {"", "q", "queue's"}});
  node->pass_ms(100);
  EXPECT_EQ(client.ready("q"), 2U);
  node->pass_ms(120);
  EXPECT_EQ(client.ready("q"), 0U);
  settle();
  EXPECT_EQ(node->shard(0).host().stats().expired, 3U);
}

TEST_F(Times, a_time_to_live_of_nothing_is_for_whoever_waits) {
  start();
  TestSession& client = session();
  client.declare("q", ttl(0));
  client.consume("q", 1, 1, true);
  client.publish_to("q", {"a", "b"});
  settle();
  EXPECT_THAT(client.bodies(), ElementsAre("a", "b"));
  client.ask([](Session& session) { session.cancel(1); });
  client.publish_to("q", {"c"});
  node->pass_ms(20);
  EXPECT_EQ(client.ready("q"), 0U);
}

TEST_F(Times, what_is_unsettled_expires_when_it_comes_back) {
  start();
  TestSession& client = session();
  client.declare("q", ttl(100));
  client.publish_to("q", {"a"});
  const auto got = client.get("q");
  ASSERT_TRUE(got.has_value());
  node->pass_ms(500);
  client.settle(*got, Outcome::requeue);
  node->pass_ms(20);
  EXPECT_EQ(client.ready("q"), 0U);
}

TEST_F(Times, deadlines_are_kept_over_a_restart_and_pass_while_the_node_is_down) {
  for (const bool clean : {true, false}) {
    start();
    TestSession& client = session();
    client.declare("q");
    publish(client, {expiring("q", "soon", 1'000), expiring("q", "later", 100'000), {"", "q", "never"}});
    // The simulated clock begins again with each start.
    options.wall_offset_ms = 50'000;
    clean ? restart() : crash();
    settle();
    EXPECT_EQ(session().ready("q"), 2U);
    node->pass_ms(60'000);
    EXPECT_THAT(drain("q"), ElementsAre("never"));
    settle();
    // What has expired is settled, and does not come back.
    options.wall_offset_ms = 0;
    restart();
    EXPECT_THAT(drain("q"), IsEmpty());
    sessions.clear();
    node.reset();
  }
}

TEST_F(Times, deadlines_are_kept_by_checkpoints) {
  options.journal.checkpoint_bytes = 128U << 10;
  start();
  TestSession& client = session();
  client.declare("q");
  client.declare("busy");
  for (int i = 0; i < 40; ++i)
    publish(client, {expiring("q", std::to_string(i), 100'000), {"", "q", "stays"}});
  for (int i = 0; i < 1'000; ++i) {
    client.publish_to("busy", {std::string(1'000, 'x')});
    ASSERT_TRUE(client.get("busy", true).has_value());
  }
  node->pass_ms(100);
  crash();
  EXPECT_LT(node->shard(0).recovery().records, 800U);
  settle();
  EXPECT_EQ(session().ready("q"), 80U);
  node->pass_ms(120'000);
  EXPECT_EQ(session().ready("q"), 40U);
}

TEST_F(Times, a_clock_that_is_set_back_delays_nothing) {
  start();
  TestSession& client = session();
  client.declare("q");
  publish(client, {expiring("q", "a", 1'000)});
  node->clock().jump_wall_ms(-3'600'000);
  publish(client, {expiring("q", "b", 1'000)});
  node->pass_ms(1'050);
  EXPECT_EQ(client.ready("q"), 0U);
  node->clock().jump_wall_ms(7'200'000);
  publish(client, {expiring("q", "c", 1'000)});
  node->pass_ms(900);
  EXPECT_EQ(client.ready("q"), 1U);
  node->pass_ms(200);
  EXPECT_EQ(client.ready("q"), 0U);
}

TEST_F(Times, many_expire_in_bounded_turns_and_give_their_files_back) {
  start();
  TestSession& client = session();
  client.declare("q", ttl(1'000));
  for (int i = 0; i < 60; ++i) client.publish_to("q", std::vector<std::string>(512, std::string(40, 'x')));
  EXPECT_GT(node->shard(0).journal().stats().files, 3U);
  node->pass_ms(2'000);
  settle();
  EXPECT_EQ(client.ready("q"), 0U);
  EXPECT_EQ(node->shard(0).host().stats().expired, 60U * 512U);
  node->pass_ms(100);
  EXPECT_LE(node->shard(0).journal().stats().files, 2U);
}

TEST_F(Times, a_delayed_message_comes_when_its_time_has_come_also_after_a_restart) {
  start();
  TestSession& client = session();
  const QueueStatus queue = client.declare("q");
  const std::uint64_t now = node->clock().wall_ms();
  const auto delayed = [&](const std::string& body, std::uint64_t by_ms) {
    TestMessage message{"", "q", body};
    message.extras.deliver_ms = now + by_ms;
    return message;
  };
  publish(client, {delayed("month", 30ULL * 86'400'000), delayed("second", 1'000), {"", "q", "now"}});
  EXPECT_EQ(client.ready("q"), 1U);
  EXPECT_EQ(find(queue)->held(), 2U);
  node->pass_ms(1'020);
  EXPECT_THAT(drain("q"), ElementsAre("second", "now"));
  node->pass_ms(100);
  crash();
  settle();
  EXPECT_EQ(session().ready("q"), 0U);
  options.wall_offset_ms = 30LL * 86'400'000 + 5'000;
  crash();
  settle();
  EXPECT_THAT(drain("q"), ElementsAre("month"));
}

class UnusedQueues : public Times {
 protected:
  bool exists(const std::string& queue) {
    return node->shard(0).topology().find_queue("/", queue) != nullptr;
  }
  static broker::Table expires(std::int64_t ms) {
    broker::Table arguments;
    arguments.set("x-expires", {ms});
    return arguments;
  }
};

TEST_F(UnusedQueues, go_after_their_time) {
  start(2);
  session(1).declare("q", expires(1'000));
  node->pass_ms(900);
  EXPECT_TRUE(exists("q"));
  node->pass_ms(300);
  EXPECT_FALSE(exists("q"));
}

TEST_F(UnusedQueues, stay_while_they_are_declared_or_asked_for_messages) {
  start();
  TestSession& client = session();
  client.declare("q", expires(1'000));
  node->pass_ms(900);
  client.declare("q", expires(1'000));
  node->pass_ms(900);
  client.get("q");
  node->pass_ms(900);
  EXPECT_TRUE(exists("q"));
  client.publish_to("q", {"does not count"});
  node->pass_ms(300);
  EXPECT_FALSE(exists("q"));
}

TEST_F(UnusedQueues, stay_while_they_have_consumers) {
  start();
  TestSession& client = session();
  client.declare("q", expires(1'000));
  client.consume("q");
  node->pass_ms(5'000);
  EXPECT_TRUE(exists("q"));
  client.ask([](Session& session) { session.cancel(1); });
  node->pass_ms(900);
  EXPECT_TRUE(exists("q"));
  node->pass_ms(300);
  EXPECT_FALSE(exists("q"));
}

TEST_F(UnusedQueues, begin_anew_with_a_restart) {
  start();
  session().declare("q", expires(1'000));
  node->pass_ms(900);
  restart();
  node->pass_ms(900);
  EXPECT_TRUE(exists("q"));
  node->pass_ms(300);
  EXPECT_FALSE(exists("q"));
}

}  // namespace weir::node
