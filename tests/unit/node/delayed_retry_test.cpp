// Messages that come back to a quorum queue and wait before they go again.
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;

class Retries : public NodeTest {
 protected:
  static broker::Table retries(const char* type, std::int64_t min_ms, std::int64_t max_ms = 0) {
    broker::Table arguments;
    arguments.append("x-queue-type", broker::Value{std::string("quorum")});
    arguments.append("x-delayed-retry-type", broker::Value{std::string(type)});
    arguments.append("x-delayed-retry-min", broker::Value{min_ms});
    if (max_ms != 0) arguments.append("x-delayed-retry-max", broker::Value{max_ms});
    return arguments;
  }
  void take_and_settle(TestSession& by, const std::string& queue, Outcome outcome) {
    const auto got = by.get(queue);
    ASSERT_TRUE(got.has_value());
    by.settle(*got, outcome);
    settle();
  }
  // After how many milliseconds the next message is there, in steps of ten.
  std::uint64_t next_after_ms(TestSession& by, const std::string& queue, std::uint64_t most_ms = 10'000) {
    for (std::uint64_t ms = 0; ms <= most_ms; ms += 10) {
      if (by.ready(queue) > 0) return ms;
      node->pass_ms(10);
    }
    return UINT64_MAX;
  }
};

TEST_F(Retries, wait_longer_each_time_up_to_a_bound) {
  start();
  TestSession& client = session();
  client.declare("q", retries("all", 1'000, 2'500));
  client.publish_to("q", {"a"});
  for (const std::uint64_t expected : {1'000U, 2'000U, 2'500U, 2'500U}) {
    take_and_settle(client, "q", Outcome::failed);
    const std::uint64_t waited = next_after_ms(client, "q");
    EXPECT_GE(waited, expected);
    EXPECT_LE(waited, expected + 20);
  }
  const auto got = client.get("q");
  ASSERT_TRUE(got.has_value());
  EXPECT_TRUE(got->redelivered);
  EXPECT_EQ(got->returns, 4);
}

TEST_F(Retries, let_others_pass_and_go_to_their_place_when_they_are_due) {
  start();
  TestSession& client = session();
  client.declare("q", retries("all", 1'000));
  client.publish_to("q", {"a", "b", "c"});
  take_and_settle(client, "q", Outcome::requeue);
  EXPECT_EQ(client.get("q", true)->body, "b");
  node->pass_ms(1'020);
  EXPECT_EQ(client.get("q", true)->body, "a");
  EXPECT_EQ(client.get("q", true)->body, "c");
}

TEST_F(Retries, are_of_what_failed_or_of_what_was_given_back) {
  start();
  TestSession& client = session();
  client.declare("failed", retries("failed", 1'000));
  client.declare("returned", retries("returned", 1'000));
  client.declare("disabled", retries("disabled", 1'000));
  for (const char* queue : {"failed", "returned", "disabled"}) client.publish_to(queue, {"a"});
  for (const char* queue : {"failed", "returned", "disabled"})
    take_and_settle(client, queue, Outcome::failed);
  EXPECT_EQ(client.ready("failed"), 0U);
  EXPECT_EQ(client.ready("returned"), 1U);
  EXPECT_EQ(client.ready("disabled"), 1U);
  take_and_settle(client, "returned", Outcome::requeue);
  EXPECT_EQ(client.ready("returned"), 0U);
  node->pass_ms(1'020);
  take_and_settle(client, "failed", Outcome::requeue);
  EXPECT_EQ(client.ready("failed"), 1U);
}

TEST_F(Retries, wake_a_consumer_that_waits) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue, retries("all", 500));
  client.publish_to(queue, {"a"});
  client.consume(queue, 1, 10);
  settle();
  ASSERT_EQ(client.deliveries.size(), 1U);
  client.settle(client.deliveries[0], Outcome::failed);
  settle();
  EXPECT_EQ(client.deliveries.size(), 1U);
  node->pass_ms(520);
  ASSERT_EQ(client.deliveries.size(), 2U);
  EXPECT_EQ(client.deliveries[1].returns, 1);
}

TEST_F(Retries, end_at_the_delivery_limit) {
  start();
  TestSession& client = session();
  broker::Table arguments = retries("all", 100);
  arguments.append("x-delivery-limit", broker::Value{std::int64_t{1}});
  arguments.append("x-dead-letter-exchange", broker::Value{std::string()});
  arguments.append("x-dead-letter-routing-key", broker::Value{std::string("dead")});
  client.declare("dead");
  client.declare("q", arguments);
  client.publish_to("q", {"a"});
  take_and_settle(client, "q", Outcome::failed);
  EXPECT_LT(next_after_ms(client, "q"), 200U);
  take_and_settle(client, "q", Outcome::failed);
  EXPECT_EQ(client.ready("dead"), 1U);
}

TEST_F(Retries, go_on_waiting_after_a_restart_and_after_a_crash) {
  start();
  {
    TestSession& client = session();
    client.declare("q", retries("all", 60'000));
    client.publish_to("q", {"a", "b"});
    take_and_settle(client, "q", Outcome::failed);
    client.publish_to("q", {"c"});  // which takes along what was settled
  }
  node->pass_ms(1'000);
  for (const bool ordered : {true, false}) {
    if (ordered) restart();
    if (!ordered) crash();
    TestSession& again = session();
    EXPECT_EQ(again.ready("q"), 2U);
  }
  TestSession& client = session();
  EXPECT_EQ(client.get("q")->body, "b");
  node->pass_ms(62'000);  // a simulated machine's clock begins anew with each start
  const auto got = client.get("q");
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->body, "a");
  EXPECT_EQ(got->returns, 1);
}

TEST_F(Retries, go_on_waiting_when_a_checkpoint_has_let_go_of_the_log_that_told_of_them) {
  options.journal.checkpoint_bytes = 1;
  start();
  {
    TestSession& client = session();
    client.declare("q", retries("all", 600'000));
    client.declare("busy");
    client.publish_to("q", {"a", "b", "c"});
    const auto take_checkpoints = [&] {
      const auto checkpoints = [&] { return node->shard(0).journal().stats().checkpoints; };
      const std::uint64_t before = checkpoints();
      const std::string body(2'000, 'x');
      for (int round = 0; round < 1'000 && checkpoints() < before + 3; ++round) {
        client.publish_to("busy", {body, body, body, body});
        settle();
      }
      ASSERT_GE(checkpoints(), before + 3);
    };
    take_checkpoints();  // what never changes of the messages is listed with the first one
    take_and_settle(client, "q", Outcome::failed);
    take_and_settle(client, "q", Outcome::failed);
    take_checkpoints();
  }
  crash();
  TestSession& client = session();
  EXPECT_EQ(client.ready("q"), 1U);
  EXPECT_EQ(client.get("q")->body, "c");
  node->pass_ms(700'000);
  EXPECT_EQ(client.get("q")->body, "a");
  EXPECT_EQ(client.get("q")->body, "b");
}

TEST_F(Retries, can_be_switched_on_by_a_policy) {
  start();
  std::optional<Result<broker::Decision>> answer;
  broker::Table definition;
  definition.append("delayed-retry-type", broker::Value{std::string("all")});
  definition.append("delayed-retry-min", broker::Value{std::int64_t{1'000}});
  node->turn(0, [&] {
    node->shard(0).administer(
        broker::PutPolicyRequest{{.vhost = "/", .name = "p", .pattern = "^q$", .definition = definition}},
        [&](Result<broker::Decision> its) { answer = std::move(its); });
  });
  ASSERT_TRUE(node->until([&] { return answer.has_value(); }));
  ASSERT_TRUE(answer->has_value()) << answer->error().message;
  TestSession& client = session();
  broker::Table arguments;
  arguments.append("x-queue-type", broker::Value{std::string("quorum")});
  client.declare("q", arguments);
  client.publish_to("q", {"a"});
  take_and_settle(client, "q", Outcome::failed);
  EXPECT_EQ(client.ready("q"), 0U);
  EXPECT_GE(next_after_ms(client, "q"), 1'000U);
}

}  // namespace weir::node
