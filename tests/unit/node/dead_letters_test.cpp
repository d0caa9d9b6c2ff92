// What becomes of messages that nobody wants.
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;

class DeadLetter : public NodeTest {
 protected:
  static broker::Table arguments(const std::string& exchange, const char* key = nullptr) {
    broker::Table table;
    table.set("x-dead-letter-exchange", {exchange});
    if (key != nullptr) table.set("x-dead-letter-routing-key", {std::string(key)});
    return table;
  }
  static broker::Table at_least_once(const std::string& exchange, const char* key = nullptr) {
    broker::Table table = arguments(exchange, key);
    table.set("x-queue-type", {std::string("quorum")});
    table.set("x-dead-letter-strategy", {std::string("at-least-once")});
    table.set("x-overflow", {std::string("reject-publish")});
    return table;
  }
  static broker::Table limited(std::int64_t most, const char* overflow) {
    broker::Table table;
    table.set("x-max-length", {most});
    table.set("x-overflow", {std::string(overflow)});
    return table;
  }
  std::vector<TakenDelivery> take(const std::string& queue) {
    std::vector<TakenDelivery> taken;
    TestSession& reader = session();
    while (const auto got = reader.get(queue, true)) taken.push_back(*got);
    return taken;
  }
  std::vector<std::string> drain(const std::string& queue) {
    std::vector<std::string> bodies;
    for (const TakenDelivery& got : take(queue)) bodies.push_back(got.body);
    return bodies;
  }
  void reject_all(const std::string& queue) {
    TestSession& reader = session();
    while (const auto got = reader.get(queue)) reader.settle(*got, Outcome::discard);
  }
  std::uint64_t total(const std::string& queue) {
    const broker::QueueDefinition* const of = node->shard(0).topology().find_queue("/", queue);
    return node->shard(of->shard.value).host().find(of->id)->total();
  }
  DeadLetters::Stats stats() {
    DeadLetters::Stats sum;
    for (std::uint16_t shard = 0; shard < node->shards(); ++shard) {
      const DeadLetters::Stats& of = node->shard(shard).host().dead_letters().stats();
      sum.sent += of.sent;
      sum.dropped += of.dropped;
      sum.retries += of.retries;
    }
    return sum;
  }
};

// Source and target on the same shard, and on two.
class DeadLetterRoutes : public DeadLetter, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    start(2);
    source = queue_on(0, "source");
    target = queue_on(GetParam() ? 1 : 0, "target");
  }
  std::string source, target;
};

TEST_P(DeadLetterRoutes, a_rejected_message_goes_on_with_its_story) {
  TestSession& client = session(1);
  client.declare(source, arguments("", target.c_str()));
  client.declare(target);
  ASSERT_TRUE(client.bind("amq.topic", source, "#").has_value());
  client.publish({{"amq.topic", "some.key", "a"}, {"amq.topic", "some.key", "b", false}});
  settle();
  reject_all(source);
  settle();
  const std::vector<TakenDelivery> taken = take(target);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].body, "a");
  EXPECT_EQ(taken[0].routing_key, target);
  EXPECT_EQ(taken[0].exchange, "");
  EXPECT_TRUE(taken[0].persistent);
  EXPECT_FALSE(taken[1].persistent);
  ASSERT_EQ(taken[0].deaths.deaths.size(), 1U);
  const broker::Death& death = taken[0].deaths.deaths[0];
  EXPECT_EQ(death.queue, source);
  EXPECT_EQ(death.reason, broker::DeathReason::rejected);
  EXPECT_EQ(death.exchange, "amq.topic");
  EXPECT_EQ(death.routing_key, "some.key");
  EXPECT_EQ(death.count, 1U);
  EXPECT_EQ(total(source), 0U);
}

TEST_P(DeadLetterRoutes, what_expires_leaves_without_its_time_to_live) {
  TestSession& client = session(1);
  client.declare(source, arguments("", target.c_str()));
  client.declare(target);
  TestMessage message{"", source, "a"};
  message.extras.ttl_ms = 100;
  client.publish({message});
  node->pass_ms(200);
  EXPECT_EQ(client.ready(source), 0U);
  node->pass_ms(1'000);
  const std::vector<TakenDelivery> taken = take(target);
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].deaths.deaths[0].reason, broker::DeathReason::expired);
  EXPECT_EQ(taken[0].deaths.deaths[0].ttl_ms, 100U);
}

TEST_P(DeadLetterRoutes, at_least_once_waits_for_a_target_with_room) {
  TestSession& client = session(1);
  client.declare(source, at_least_once("", target.c_str()));
  client.declare(target, limited(1, "reject-publish"));
  client.publish_to(source, {"a", "b", "c"});
  reject_all(source);
  node->pass_ms(100);
  EXPECT_EQ(client.ready(target), 1U);
  EXPECT_EQ(total(source), 2U);
  EXPECT_GE(stats().retries, 2U);
  std::vector<std::string> bodies;
  for (int i = 0; i < 3; ++i) {
    for (const std::string& body : drain(target)) bodies.push_back(body);
    node->pass_ms(1'100);
  }
  std::sort(bodies.begin(), bodies.end());
  EXPECT_THAT(bodies, ElementsAre("a", "b", "c"));
  EXPECT_EQ(total(source), 0U);
}

TEST_P(DeadLetterRoutes, at_least_once_waits_for_a_target_that_is_not_there) {
  TestSession& client = session(1);
  client.declare(source, at_least_once("later", "k"));
  client.publish_to(source, {"a"});
  reject_all(source);
  node->pass_ms(100);
  EXPECT_EQ(total(source), 1U);
  EXPECT_EQ(client.ready(source), 0U);
  crash();
  settle();
  EXPECT_EQ(total(source), 1U);
  TestSession& other = session(1);
  EXPECT_EQ(other.ready(source), 0U);
  ASSERT_TRUE(other.declare_exchange("later", "direct").has_value());
  other.declare(target);
  ASSERT_TRUE(other.bind("later", target, "k").has_value());
  node->pass_ms(1'500);
  EXPECT_THAT(drain(target), ElementsAre("a"));
  EXPECT_EQ(total(source), 0U);
}

// At any moment the power may go.
TEST_P(DeadLetterRoutes, at_least_once_loses_and_doubles_nothing_whenever_the_power_goes) {
  TestSession& client = session(1);
  client.declare(source, at_least_once("", target.c_str()));
  client.declare(target);
  std::uint64_t expected = 0;
  for (unsigned steps = 0; steps < 60; ++steps) {
    std::vector<std::string> bodies;
    for (int i = 0; i < 5; ++i) bodies.push_back(std::to_string(expected++));
    TestSession& publisher = session(1);
    publisher.publish_to(source, bodies);
    TestSession& reader = session();
    for (int i = 0; i < 5; ++i) {
      const auto got = reader.get(source);
      if (got.has_value()) reader.settle(*got, Outcome::discard);
    }
    for (unsigned i = 0; i < steps; ++i) node->step();
    crash();
  }
  settle();
  // What was rejected shortly before a crash may have come back.
  reject_all(source);
  node->pass_ms(2'000);
  std::vector<int> numbers;
  for (const std::string& body : drain(target)) numbers.push_back(std::stoi(body));
  std::sort(numbers.begin(), numbers.end());
  ASSERT_EQ(numbers.size(), expected);
  for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], static_cast<int>(i));
  EXPECT_EQ(total(source), 0U);
}

INSTANTIATE_TEST_SUITE_P(shards, DeadLetterRoutes, testing::Bool(),
                         [](const auto& info) { return info.param ? "two_shards" : "one_shard"; });

TEST_F(DeadLetter, a_retry_over_two_queues_goes_round_and_counts) {
  start();
  TestSession& client = session();
  client.declare("work", arguments("", "wait"));
  broker::Table back = arguments("", "work");
  back.set("x-message-ttl", {std::int64_t{50}});
  client.declare("wait", back);
  client.publish_to("work", {"a"});
  for (std::uint64_t round = 1; round <= 3; ++round) {
    const auto got = client.get("work");
    ASSERT_TRUE(got.has_value()) << round;
    if (round > 1) {
      ASSERT_EQ(got->deaths.deaths.size(), 2U);
      EXPECT_EQ(got->deaths.deaths[0].queue, "wait");
      EXPECT_EQ(got->deaths.deaths[1].count, round - 1);
    }
    client.settle(*got, Outcome::discard);
    node->pass_ms(100);
  }
}

TEST_F(DeadLetter, what_nobody_rejected_does_not_go_in_circles) {
  start();
  TestSession& client = session();
  broker::Table to_itself = arguments("", "q");
  to_itself.set("x-message-ttl", {std::int64_t{50}});
  client.declare("q", to_itself);
  client.publish_to("q", {"a"});
  node->pass_ms(500);
  EXPECT_EQ(total("q"), 0U);
  EXPECT_EQ(stats().dropped, 1U);
}

TEST_F(DeadLetter, without_a_queue_for_them_they_are_gone) {
  start();
  TestSession& client = session();
  client.declare("q", arguments("not there"));
  client.publish_to("q", {"a"});
  reject_all("q");
  settle();
  EXPECT_EQ(total("q"), 0U);
  EXPECT_EQ(stats().dropped, 1U);
}

TEST_F(DeadLetter, what_makes_room_and_what_finds_none_goes_too) {
  start();
  TestSession& client = session();
  client.declare("dead");
  for (const char* overflow : {"drop-head", "reject-publish-dlx"}) {
    broker::Table table = limited(1, overflow);
    table.set("x-dead-letter-exchange", {std::string()});
    table.set("x-dead-letter-routing-key", {std::string("dead")});
    client.declare(overflow, table);
    client.publish({{"", overflow, "1"}, {"", overflow, "2"}});
    ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
    settle();
  }
  EXPECT_EQ(client.rejected.size(), 1U);
  const std::vector<TakenDelivery> taken = take("dead");
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].body, "1");
  EXPECT_EQ(taken[1].body, "2");
  for (const TakenDelivery& got : taken) {
    EXPECT_EQ(got.deaths.deaths[0].reason, broker::DeathReason::maxlen);
  }
  EXPECT_THAT(drain("drop-head"), ElementsAre("2"));
  EXPECT_THAT(drain("reject-publish-dlx"), ElementsAre("1"));
}

TEST_F(DeadLetter, deep_queues_are_read_back_from_the_disk) {
  start();
  TestSession& client = session();
  broker::Table table = arguments("", "dead");
  table.set("x-message-ttl", {std::int64_t{60'000}});
  client.declare("q", table);
  client.declare("dead");
  std::vector<std::string> expected;
  for (int i = 0; i < 400; ++i) {
    expected.push_back(std::to_string(i) + std::string(2'000, 'x'));
    client.publish_to("q", {expected.back()});
  }
  node->pass_ms(70'000);
  settle();
  EXPECT_EQ(drain("dead"), expected);
  EXPECT_EQ(total("q"), 0U);
}

class DeliveryLimit : public DeadLetter {
 protected:
  static broker::Table limit(std::int64_t most) {
    broker::Table table;
    table.set("x-queue-type", {std::string("quorum")});
    table.set("x-delivery-limit", {most});
    return table;
  }
};

TEST_F(DeliveryLimit, a_message_comes_back_so_often_and_then_leaves) {
  start();
  TestSession& client = session();
  broker::Table table = limit(2);
  table.set("x-dead-letter-exchange", {std::string()});
  table.set("x-dead-letter-routing-key", {std::string("dead")});
  client.declare("q", table);
  client.declare("dead");
  client.publish_to("q", {"a"});
  for (std::uint16_t returns = 0; returns < 3; ++returns) {
    const auto got = client.get("q");
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(got->returns, returns);
    client.settle(*got, Outcome::requeue);
  }
  EXPECT_FALSE(client.get("q").has_value());
  settle();
  const std::vector<TakenDelivery> taken = take("dead");
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].deaths.deaths[0].reason, broker::DeathReason::delivery_limit);
  EXPECT_EQ(taken[0].returns, 0U);
}

TEST_F(DeliveryLimit, is_counted_over_restarts_and_checkpoints) {
  options.journal.checkpoint_bytes = 64U << 10;
  start();
  session().declare("q", limit(2));
  session().declare("busy");
  session().publish_to("q", {"a", "b"});
  for (std::uint16_t returns = 0; returns < 3; ++returns) {
    TestSession& client = session();
    const auto got = client.get("q");
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(got->body, "a");
    EXPECT_EQ(got->returns, returns);
    client.settle(*got, Outcome::requeue);
    for (int i = 0; i < 300; ++i) {
      client.publish_to("busy", {std::string(1'000, 'x')});
      ASSERT_TRUE(client.get("busy", true).has_value());
    }
    node->pass_ms(100);
    crash();
  }
  EXPECT_THAT(drain("q"), ElementsAre("b"));
}

TEST_F(DeliveryLimit, below_zero_is_none_and_a_quorum_queue_counts_and_keeps) {
  start();
  TestSession& client = session();
  client.declare("q", limit(-1));
  client.publish_to("q", {"a"});
  for (std::uint16_t returns = 0; returns < 40; ++returns) {
    const auto got = client.get("q");
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(got->returns, returns);
    client.settle(*got, Outcome::requeue);
  }
}

class Priorities : public DeadLetter {};

TEST_F(Priorities, the_more_urgent_goes_first_also_after_a_restart) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  broker::Table table;
  table.set("x-max-priority", {std::int64_t{5}});
  client.declare(queue, table);
  std::vector<TestMessage> messages;
  for (const int priority : {0, 3, 9, 5, 3}) {
    TestMessage message{"", queue, std::to_string(priority)};
    message.priority = static_cast<std::uint8_t>(priority);
    messages.push_back(message);
  }
  messages[2].body = "nine";
  messages[4].body = "second 3";
  client.publish(messages);
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  const auto first = client.get(queue);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->body, "nine");
  crash();
  settle();
  EXPECT_THAT(drain(queue), ElementsAre("nine", "5", "3", "second 3", "0"));
}

}  // namespace weir::node
