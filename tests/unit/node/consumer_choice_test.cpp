// Which consumer gets a message: one active one, those of higher priority, those of a fair queue.
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;

class ConsumerChoice : public NodeTest {
 protected:
  static broker::Table with(const std::string& argument, broker::Value value) {
    broker::Table table;
    table.set(argument, std::move(value));
    return table;
  }
  Reply consume(TestSession& by, const std::string& queue, broker::Table arguments = {},
                std::uint32_t prefetch = 0, bool exclusive = false) {
    return by.ask([&](Session& session) {
      ConsumeOptions options;
      options.queue = queue;
      options.consumer = 1;
      options.prefetch = prefetch;
      options.exclusive = exclusive;
      options.arguments = std::move(arguments);
      session.consume(std::move(options));
    });
  }
  // As a channel does that is closed: the consumer goes, then what it has comes back.
  void close(TestSession& client) {
    client.within([&](Session& session) {
      session.drop_consumer(1);
      for (const TakenDelivery& one : client.deliveries)
        session.settle(1, one.queue, one.seq, Outcome::requeue);
    });
  }
};

TEST_F(ConsumerChoice, of_a_single_active_consumer_goes_on_in_order_when_it_is_closed) {
  options.late_mail = true;
  start(3);
  const std::string queue = queue_on(0);
  TestSession& client = session(1);
  client.declare(queue, with("x-single-active-consumer", {true}));
  TestSession& first = session(1);
  TestSession& second = session(2);
  TestSession& third = session(0);
  for (TestSession* one : {&first, &second, &third}) ASSERT_TRUE(consume(*one, queue).has_value());
  client.publish_to(queue, {"1", "2", "3", "4"});
  settle();
  EXPECT_THAT(first.bodies(), ElementsAre("1", "2", "3", "4"));
  EXPECT_THAT(second.bodies(), IsEmpty());
  close(first);
  client.publish_to(queue, {"5"});
  settle();
  EXPECT_THAT(second.bodies(), ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_THAT(third.bodies(), IsEmpty());
  for (const TakenDelivery& one : second.deliveries) second.settle(one);
  second.end();
  client.publish_to(queue, {"6"});
  settle();
  EXPECT_THAT(third.bodies(), ElementsAre("6"));
}

TEST_F(ConsumerChoice, of_a_single_active_consumer_that_cancels_leaves_it_what_it_has) {
  start();
  TestSession& client = session();
  client.declare("q", with("x-single-active-consumer", {true}));
  TestSession& first = session();
  TestSession& second = session();
  ASSERT_TRUE(consume(first, "q", {}, 1).has_value());
  ASSERT_TRUE(consume(second, "q").has_value());
  client.publish_to("q", {"1", "2"});
  settle();
  ASSERT_TRUE(first.ask([](Session& session) { session.cancel(1); }).has_value());
  settle();
  EXPECT_THAT(first.bodies(), ElementsAre("1"));
  EXPECT_THAT(second.bodies(), ElementsAre("2"));
}

TEST_F(ConsumerChoice, of_a_single_active_consumer_knows_no_exclusive_one) {
  start();
  TestSession& client = session();
  client.declare("q", with("x-single-active-consumer", {true}));
  const Reply refused = consume(client, "q", {}, 0, true);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::access_refused);
}

TEST_F(ConsumerChoice, prefers_the_higher_priority_while_it_can_take) {
  start(2);
  const std::string queue = queue_on(0);
  TestSession& client = session(1);
  client.declare(queue);
  TestSession& normal = session(1);
  TestSession& urgent = session(0);
  ASSERT_TRUE(consume(normal, queue).has_value());
  ASSERT_TRUE(consume(urgent, queue, with("x-priority", {std::int64_t{10}}), 2).has_value());
  client.publish_to(queue, {"1", "2", "3"});
  settle();
  EXPECT_THAT(urgent.bodies(), ElementsAre("1", "2"));
  EXPECT_THAT(normal.bodies(), ElementsAre("3"));
  urgent.settle(urgent.deliveries[0]);
  settle();
  client.publish_to(queue, {"4"});
  settle();
  EXPECT_THAT(urgent.bodies(), ElementsAre("1", "2", "4"));
}

TEST_F(ConsumerChoice, refuses_a_priority_that_is_none) {
  start();
  TestSession& client = session();
  client.declare("q");
  const Reply refused = consume(client, "q", with("x-priority", {std::string("high")}));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::precondition_failed);
  EXPECT_EQ(refused.error().message,
            "invalid arg 'x-priority' for queue 'q' in vhost '/': \"expected integer, got longstr\"");
  EXPECT_TRUE(consume(client, "q").has_value());
}

TEST_F(ConsumerChoice, in_a_fair_queue_gives_every_tenant_its_turn_also_after_a_crash) {
  start(2);
  const std::string queue = queue_on(1);
  {
    TestSession& client = session();
    client.declare(queue, with("x-fair-by", {std::string("tenant")}));
    std::vector<TestMessage> messages;
    for (const std::string body : {"a1", "a2", "a3", "a4", "b1", "c1", "b2"}) {
      messages.push_back({"", queue, body});
      messages.back().headers.set("tenant", {body.substr(0, 1)});
    }
    client.publish(messages);
    ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  }
  crash();
  TestSession& client = session();
  std::vector<std::string> bodies;
  while (const auto got = client.get(queue)) bodies.push_back(got->body);
  EXPECT_THAT(bodies, ElementsAre("a1", "b1", "c1", "a2", "b2", "a3", "a4"));
}

TEST_F(ConsumerChoice, of_a_quorum_queue_ends_after_twenty_returns) {
  start();
  TestSession& client = session();
  broker::Table plain = with("x-queue-type", {std::string("quorum")}), endless = plain;
  endless.set("x-delivery-limit", {std::int64_t{-1}});
  client.declare("q", plain);
  client.declare("endless", endless);
  for (const std::string queue : {"q", "endless"}) {
    client.publish_to(queue, {"poison"});
    for (int i = 0; i <= 20; ++i) {
      const auto got = client.get(queue);
      ASSERT_TRUE(got.has_value()) << queue << " " << i;
      client.settle(*got, Outcome::requeue);
    }
    EXPECT_EQ(client.get(queue).has_value(), queue == "endless");
  }
}

}  // namespace weir::node
