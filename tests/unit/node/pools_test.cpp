// Consumers that share a prefetch, over queues of several shards.
#include <algorithm>

#include "unit/node/node_fixture.h"

namespace weir::node {

class Pools : public NodeTest {
 protected:
  static constexpr PoolNumber pool = 7;
  void consume(TestSession& client, const std::string& queue, ConsumerNumber number) {
    const Reply reply = client.ask([&](Session& session) {
      session.consume({.queue = queue, .consumer = number, .tag = "c", .pool = pool, .arguments = {}});
    });
    ASSERT_TRUE(reply);
  }
  // As a front-end does.
  void acknowledge(TestSession& client, std::size_t from, std::size_t until) {
    client.within([&](Session& session) {
      for (std::size_t i = from; i < until; ++i) {
        const TakenDelivery& one = client.deliveries[i];
        session.settle(one.consumer, one.queue, one.seq, Outcome::accept);
        session.add_pool_out(pool, -1);
      }
    });
    settle();
  }
};

TEST_F(Pools, never_have_more_out_than_the_limit_and_get_all_in_the_end) {
  start(3);
  TestSession& client = session(1);
  client.within([&](Session& session) { session.set_pool_prefetch(pool, 5); });
  constexpr std::size_t each = 30;
  for (std::uint16_t shard = 0; shard < 3; ++shard) {
    const std::string queue = queue_on(shard);
    client.declare(queue);
    client.publish_to(queue, std::vector<std::string>(each, "m"));
    consume(client, queue, shard + 1U);
  }
  settle();
  std::size_t acknowledged = 0;
  while (acknowledged < 3 * each) {
    ASSERT_EQ(client.deliveries.size(), std::min<std::size_t>(acknowledged + 5, 3 * each));
    const std::size_t some = std::min<std::size_t>(client.deliveries.size(), acknowledged + 2);
    acknowledge(client, acknowledged, some);
    acknowledged = some;
  }
}

TEST_F(Pools, credit_that_one_shard_does_not_need_goes_to_another) {
  start(2);
  TestSession& client = session(0);
  client.within([&](Session& session) { session.set_pool_prefetch(pool, 2); });
  const std::string near = queue_on(0), far = queue_on(1);
  for (const std::string& queue : {near, far}) client.declare(queue);
  consume(client, near, 1);
  consume(client, far, 2);
  client.publish_to(far, {"a"});
  settle();
  client.publish_to(near, {"b"});
  settle();
  client.publish_to(far, {"c"});
  settle();
  EXPECT_EQ(client.bodies(), (std::vector<std::string>{"a", "b"}));
  acknowledge(client, 0, 1);
  EXPECT_EQ(client.deliveries.size(), 3U);
  // Its queue goes, and a consumer with it: what it had still counts until it is settled.
  ASSERT_TRUE(client.ask([&](Session& session) { session.delete_queue(far, false, false); }));
  settle();
  client.publish_to(near, {"d"});
  settle();
  EXPECT_EQ(client.deliveries.size(), 3U);
  acknowledge(client, 1, 3);
  EXPECT_EQ(client.deliveries.size(), 4U);
}

TEST_F(Pools, of_messages_on_the_disk_are_given_out_too) {
  start(2);
  TestSession& client = session(0);
  const std::string queue = queue_on(1);
  client.declare(queue);
  const std::string body(1'000, 'x');
  for (int i = 0; i < 20; ++i) client.publish_to(queue, std::vector<std::string>(50, body));
  restart();
  TestSession& reader = session(0);
  reader.within([&](Session& session) { session.set_pool_prefetch(pool, 3); });
  consume(reader, queue, 1);
  settle();
  for (std::size_t done = 0; done < 1'000; done += 3) {
    ASSERT_EQ(reader.deliveries.size(), std::min<std::size_t>(done + 3, 1'000));
    acknowledge(reader, done, reader.deliveries.size());
  }
}

// While messages keep coming: credit is lent from turn to turn.
TEST_F(Pools, get_some_of_a_stream_of_messages_beside_consumers_of_no_pool) {
  start(2);
  TestSession& client = session(0);
  client.within([&](Session& session) { session.set_pool_prefetch(pool, 100); });
  const std::string queue = queue_on(1);
  client.declare(queue);
  ASSERT_TRUE(client.consume(queue, 1));
  consume(client, queue, 2);
  for (int i = 0; i < 200; ++i) {
    client.publish({{.exchange = "", .routing_key = queue, .body = "m"}});
    for (int steps = 0; steps < 3; ++steps) node->step();
  }
  settle();
  ASSERT_EQ(client.deliveries.size(), 200U);
  const auto of_pool = std::count_if(client.deliveries.begin(), client.deliveries.end(),
                                     [](const TakenDelivery& one) { return one.consumer == 2; });
  EXPECT_GT(of_pool, 0);
}

TEST_F(Pools, a_limit_that_falls_and_rises_and_goes) {
  start(2);
  TestSession& client = session(0);
  client.within([&](Session& session) { session.set_pool_prefetch(pool, 4); });
  const std::string queue = queue_on(1);
  client.declare(queue);
  client.publish_to(queue, std::vector<std::string>(12, "m"));
  consume(client, queue, 1);
  settle();
  ASSERT_EQ(client.deliveries.size(), 4U);
  client.within([&](Session& session) { session.set_pool_prefetch(pool, 2); });
  acknowledge(client, 0, 2);
  EXPECT_EQ(client.deliveries.size(), 4U);
  acknowledge(client, 2, 3);
  EXPECT_EQ(client.deliveries.size(), 5U);
  client.within([&](Session& session) { session.set_pool_prefetch(pool, 0); });
  settle();
  EXPECT_EQ(client.deliveries.size(), 12U);
}

}  // namespace weir::node
