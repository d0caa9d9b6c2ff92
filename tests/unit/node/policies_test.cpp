// Policies on queues that are there, with messages in them.
#include "unit/node/node_fixture.h"

namespace weir::node {

using broker::Value;
using testing::ElementsAre;

class LivePolicies : public NodeTest {
 protected:
  void run(broker::Request request) {
    std::optional<Result<broker::Decision>> answer;
    node->turn(0, [&] {
      node->shard(0).administer(std::move(request),
                                [&](Result<broker::Decision> a) { answer = std::move(a); });
    });
    ASSERT_TRUE(node->until([&] { return answer.has_value(); }));
    ASSERT_TRUE(answer->has_value()) << answer->error().message;
    settle();
  }
  void policy(const std::string& key, Value value, const std::string& other_key = "", Value other = {}) {
    broker::Table definition;
    definition.set(key, std::move(value));
    if (!other_key.empty()) definition.set(other_key, std::move(other));
    run(broker::PutPolicyRequest{
        {.vhost = "/", .name = "p", .pattern = "^q", .definition = std::move(definition)}});
  }
  void no_policy() { run(broker::DeletePolicy{"/", "p"}); }
  static Value number(std::int64_t value) { return {value}; }
  static Value text(const char* value) { return {std::string(value)}; }
  std::vector<std::string> drain(const std::string& queue) {
    std::vector<std::string> bodies;
    TestSession& reader = session();
    while (const auto got = reader.get(queue, true)) bodies.push_back(got->body);
    return bodies;
  }
};

TEST_F(LivePolicies, shorten_a_queue_that_is_too_long_at_once) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  client.publish_to(queue, {"a", "b", "c"});
  policy("max-length", number(1));
  EXPECT_EQ(client.ready(queue), 1U);
  no_policy();
  client.publish_to(queue, {"d"});
  EXPECT_THAT(drain(queue), ElementsAre("c", "d"));
}

TEST_F(LivePolicies, hold_after_a_restart) {
  start(2);
  const std::string queue = queue_on(1);
  session().declare(queue);
  policy("max-length", number(2), "overflow", text("reject-publish"));
  restart();
  const auto rejected = [&](const std::vector<TestMessage>& messages) {
    TestSession& client = session();
    client.publish(messages);
    EXPECT_TRUE(node->until([&] { return client.all_confirmed(); }));
    return client.rejected.size();
  };
  EXPECT_EQ(rejected({{"", queue, "a"}, {"", queue, "b"}, {"", queue, "c"}}), 1U);
  crash();
  EXPECT_EQ(rejected({{"", queue, "d"}}), 1U);
  EXPECT_THAT(drain(queue), ElementsAre("a", "b"));
}

TEST_F(LivePolicies, count_the_bytes_of_what_was_there_before) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.publish_to("q", {std::string(1'000, 'a'), std::string(1'000, 'b'), std::string(1'000, 'c')});
  client.publish_to("q", {std::string(1'000, 'd')}, false);
  policy("max-length-bytes", number(2'300));
  EXPECT_EQ(client.ready("q"), 2U);
  client.publish_to("q", {std::string(1'000, 'e')});
  EXPECT_EQ(client.ready("q"), 2U);
  no_policy();
  client.publish_to("q", {"f", "g"});
  EXPECT_EQ(client.ready("q"), 4U);
}

TEST_F(LivePolicies, give_messages_that_are_there_their_time_from_now_on) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.publish_to("q", {"old"});
  node->pass_ms(1'000);
  policy("message-ttl", number(100));
  client.publish_to("q", {"new"});
  node->pass_ms(80);
  EXPECT_EQ(client.ready("q"), 2U);
  node->pass_ms(50);
  EXPECT_EQ(client.ready("q"), 0U);
}

TEST_F(LivePolicies, give_messages_that_are_out_their_time_too) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.publish_to("q", {"a"});
  const auto got = client.get("q");
  policy("message-ttl", number(100));
  node->pass_ms(200);
  client.settle(*got, Outcome::requeue);
  settle();
  node->pass_ms(100);
  EXPECT_EQ(client.ready("q"), 0U);
}

TEST_F(LivePolicies, send_dead_letters_where_they_say) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  client.declare("dead");
  client.publish_to(queue, {"a", "b"});
  policy("dead-letter-exchange", text(""), "dead-letter-routing-key", text("dead"));
  client.settle(*client.get(queue), Outcome::discard);
  settle();
  EXPECT_EQ(client.ready("dead"), 1U);
  no_policy();
  client.settle(*client.get(queue), Outcome::discard);
  settle();
  EXPECT_EQ(client.ready("dead"), 1U);
}

TEST_F(LivePolicies, delete_queues_that_nobody_uses) {
  start();
  session().declare("q");
  session().declare("other");
  policy("expires", number(500));
  node->pass_ms(400);
  EXPECT_NE(node->shard(0).topology().find_queue("/", "q"), nullptr);
  node->pass_ms(300);
  EXPECT_EQ(node->shard(0).topology().find_queue("/", "q"), nullptr);
  EXPECT_NE(node->shard(0).topology().find_queue("/", "other"), nullptr);
}

TEST_F(LivePolicies, that_go_leave_queues_that_nobody_uses) {
  start();
  session().declare("q");
  policy("expires", number(500));
  no_policy();
  node->pass_ms(1'000);
  EXPECT_NE(node->shard(0).topology().find_queue("/", "q"), nullptr);
}

TEST_F(LivePolicies, are_the_same_on_all_shards) {
  start(3);
  session().declare(queue_on(2));
  policy("max-length", number(5));
  for (std::uint16_t shard = 0; shard < 3; ++shard) {
    const broker::Topology& topology = node->shard(shard).topology();
    const broker::QueueDefinition& queue = *topology.find_queue("/", queue_on(2));
    EXPECT_NE(topology.effective_arguments(queue).find("x-max-length"), nullptr) << shard;
  }
}

}  // namespace weir::node
