// Transactions: what a session does together is done together, on each shard, whatever happens.
#include "base/limits.h"
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;

class NodeTransactions : public NodeTest {
 protected:
  static Status publish(Transaction& transaction, const std::string& queue, const std::string& body,
                        bool persistent = true) {
    const Bytes bytes = as_bytes(body);
    Publish publish;
    publish.message.persistent = persistent;
    publish.message.routing_key = queue;
    publish.message.body = std::span(&bytes, 1);
    publish.message.body_bytes = body.size();
    WEIR_TRY(transaction.publish(publish));
    return {};
  }
  void commit(TestSession& client, std::uint64_t seq, const std::function<void(Transaction&)>& fill) {
    client.within([&](Session& session) {
      auto transaction = session.begin_transaction();
      fill(*transaction);
      session.commit(std::move(transaction), 1, seq);
    });
  }
  std::vector<std::string> drain(const std::string& queue) {
    std::vector<std::string> bodies;
    TestSession& reader = session();
    while (const auto got = reader.get(queue, true)) bodies.push_back(got->body);
    return bodies;
  }
};

TEST_F(NodeTransactions, nothing_happens_before_the_commit_and_nothing_without_one) {
  start(3);
  TestSession& client = session(1);
  const std::string queues[] = {queue_on(0), queue_on(1), queue_on(2)};
  for (const std::string& queue : queues) client.declare(queue);
  std::unique_ptr<Transaction> transaction;
  client.within([&](Session& session) {
    transaction = session.begin_transaction();
    for (const std::string& queue : queues) EXPECT_TRUE(publish(*transaction, queue, "a"));
  });
  settle();
  for (const std::string& queue : queues) EXPECT_EQ(client.ready(queue), 0U);
  client.within([&](Session& session) { session.commit(std::move(transaction), 1, 1); });
  settle();
  EXPECT_EQ(client.confirmed[1], 1U);
  for (const std::string& queue : queues) EXPECT_EQ(client.ready(queue), 1U);
  client.within([&](Session& session) {
    auto dropped = session.begin_transaction();
    EXPECT_TRUE(publish(*dropped, queues[0], "b"));
  });
  settle();
  EXPECT_EQ(client.ready(queues[0]), 1U);
}

TEST_F(NodeTransactions, an_empty_one_is_confirmed) {
  start(2);
  TestSession& client = session(1);
  commit(client, 1, [](Transaction&) {});
  settle();
  EXPECT_EQ(client.confirmed[1], 1U);
}

// A message is moved from queue to queue: whenever the power goes, it is in exactly one of them.
TEST_F(NodeTransactions, whenever_the_power_goes_all_of_one_is_there_or_nothing) {
  start(2);
  const std::string from = queue_on(1, "from"), to = queue_on(1, "to");
  constexpr int each = 40;  // beyond a batch of the small journal
  int made = 0;
  for (unsigned steps = 0; steps < 40; ++steps) {
    TestSession& client = session(0);
    client.declare(from);
    client.declare(to);
    std::vector<std::string> bodies;
    for (int i = 0; i < each; ++i) bodies.push_back(std::to_string(made++) + std::string(300, '.'));
    client.publish_to(from, bodies);
    std::vector<TakenDelivery> taken;
    for (int i = 0; i < each; ++i) {
      const auto got = client.get(from);
      ASSERT_TRUE(got.has_value());
      taken.push_back(*got);
    }
    commit(client, 1, [&](Transaction& transaction) {
      for (const TakenDelivery& one : taken) {
        EXPECT_TRUE(publish(transaction, to, one.body));
        EXPECT_TRUE(transaction.settle(no_consumer, one.queue, one.seq, Outcome::accept));
      }
    });
    for (unsigned i = 0; i < steps; ++i) node->step();
    const bool told = client.confirmed[1] == 1;
    crash();
    settle();
    const std::vector<std::string> stayed = drain(from), moved = drain(to);
    ASSERT_EQ(stayed.size() + moved.size(), static_cast<std::size_t>(each)) << steps;
    ASSERT_TRUE(stayed.empty() || moved.empty()) << steps << ": " << stayed.size() << " stayed";
    if (told) ASSERT_TRUE(stayed.empty()) << steps;
    settle();
  }
}

TEST_F(NodeTransactions, larger_than_a_batch_or_a_file_become_durable_together) {
  start();
  TestSession& client = session();
  client.declare("q");
  const std::string body(200U << 10, 'x');
  constexpr int count = 20;
  commit(client, 1, [&](Transaction& transaction) {
    for (int i = 0; i < count; ++i) EXPECT_TRUE(publish(transaction, "q", body));
  });
  const Lsn end = node->shard(0).journal().end();
  EXPECT_LT(node->shard(0).journal().batch_begin(), Lsn{end.value - count * body.size()});
  ASSERT_TRUE(node->until([&] { return client.confirmed[1] == 1; }));
  crash();
  EXPECT_EQ(drain("q").size(), static_cast<std::size_t>(count));
}

TEST_F(NodeTransactions, are_refused_beyond_their_limit) {
  start();
  TestSession& client = session();
  client.declare("q");
  const std::string body(16U << 20, 'x');
  client.within([&](Session& session) {
    auto transaction = session.begin_transaction();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(publish(*transaction, "q", body));
    const Status refused = publish(*transaction, "q", body);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::limit_exceeded);
    EXPECT_EQ(refused.error().message, "the transaction is larger than 67108864 bytes");
  });
}

TEST_F(NodeTransactions, what_a_full_queue_refuses_fails_the_commit_and_the_others_take_it) {
  start();
  TestSession& client = session();
  broker::Table full;
  full.set("x-max-length", {std::int64_t{0}});
  full.set("x-overflow", {std::string("reject-publish")});
  client.declare("full", full);
  client.declare("q");
  commit(client, 1, [&](Transaction& transaction) {
    EXPECT_TRUE(publish(transaction, "full", "a"));
    EXPECT_TRUE(publish(transaction, "q", "b"));
  });
  settle();
  ASSERT_EQ(client.rejected.size(), 1U);
  EXPECT_EQ(client.rejected[0], std::make_tuple(1U, std::uint64_t{1}, std::uint64_t{1}));
  EXPECT_THAT(drain("q"), ElementsAre("b"));
}

TEST_F(NodeTransactions, settle_what_consumers_on_other_shards_have) {
  start(3);
  TestSession& client = session(1);
  const std::string queues[] = {queue_on(0), queue_on(2)};
  ConsumerNumber number = 0;
  for (const std::string& queue : queues) {
    client.declare(queue);
    client.publish_to(queue, {"a", "b", "c"});
    ASSERT_TRUE(client.consume(queue, ++number, 2));
  }
  settle();
  ASSERT_EQ(client.deliveries.size(), 4U);
  commit(client, 1, [&](Transaction& transaction) {
    for (const TakenDelivery& one : client.deliveries)
      EXPECT_TRUE(transaction.settle(one.consumer, one.queue, one.seq, Outcome::accept));
  });
  settle();
  EXPECT_EQ(client.deliveries.size(), 6U);  // the prefetch has room again
  EXPECT_EQ(client.confirmed[1], 1U);
}

}  // namespace weir::node
