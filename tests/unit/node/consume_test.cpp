// Deliveries, settlements, windows, gets.
#include "base/limits.h"
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;

class Consumption : public NodeTest {
 protected:
  static std::vector<std::string> numbers(int count) {
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i) all.push_back(std::to_string(i));
    return all;
  }
};

TEST_F(Consumption, delivers_from_another_shard_and_settles_there) {
  start(2);
  TestSession& client = session(0);
  const QueueStatus queue = client.declare(queue_on(1));
  client.consume(queue.name);
  client.publish_to(queue.name, numbers(10));
  settle();
  EXPECT_EQ(client.bodies(), numbers(10));
  for (const TakenDelivery& delivery : std::vector(client.deliveries)) client.settle(delivery);
  settle();
  EXPECT_EQ(find(queue)->total(), 0U);
}

TEST_F(Consumption, gives_no_more_than_the_prefetch_and_one_more_for_each_settled) {
  start(2);
  for (std::uint16_t shard = 0; shard < 2; ++shard) {
    TestSession& client = session(shard);
    const std::string queue = queue_on(0, "prefetch" + std::to_string(shard));
    client.declare(queue);
    client.publish_to(queue, numbers(10));
    client.consume(queue, 1, 3);
    settle();
    ASSERT_EQ(client.deliveries.size(), 3U);
    client.settle(client.deliveries[1]);
    settle();
    EXPECT_THAT(client.bodies(), ElementsAre("0", "1", "2", "3"));
    client.within([](Session& session) { session.set_prefetch(1, 5); });
    settle();
    EXPECT_EQ(client.deliveries.size(), 6U);
  }
}

TEST_F(Consumption, shares_a_queue_fairly_among_consumers_of_several_shards) {
  start(2);
  TestSession& near = session(0);
  TestSession& far = session(1);
  const std::string queue = queue_on(0);
  near.declare(queue);
  near.consume(queue);
  far.consume(queue);
  near.publish_to(queue, numbers(20));
  settle();
  EXPECT_EQ(near.deliveries.size(), 10U);
  EXPECT_EQ(far.deliveries.size(), 10U);
}

TEST_F(Consumption, puts_a_message_back_to_the_front_and_marks_it) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.publish_to("q", numbers(4));
  client.consume("q", 1, 2);
  settle();
  client.settle(client.deliveries[0], Outcome::requeue);
  settle();
  ASSERT_THAT(client.bodies(), ElementsAre("0", "1", "0"));
  EXPECT_FALSE(client.deliveries[0].redelivered);
  EXPECT_TRUE(client.deliveries[2].redelivered);
  EXPECT_EQ(client.deliveries[2].seq, client.deliveries[0].seq);
}

TEST_F(Consumption, a_discarded_message_is_gone) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.publish_to("q", {"bad"});
  client.consume("q");
  settle();
  client.settle(client.deliveries[0], Outcome::discard);
  restart();
  EXPECT_EQ(session().ready("q"), 0U);
}

TEST_F(Consumption, a_settlement_that_the_journal_holds_survives_a_power_loss) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.publish_to("q", {"done", "open"});
  client.consume("q");
  settle();
  client.settle(client.deliveries[0]);
  settle();
  crash();
  TestSession& reader = session();
  EXPECT_EQ(reader.ready("q"), 1U);
  const auto got = reader.get("q");
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->body, "open");
  EXPECT_TRUE(got->redelivered);
}

TEST_F(Consumption, without_acks_a_message_is_settled_by_its_delivery) {
  start(2);
  for (const bool persistent : {true, false}) {
    TestSession& client = session(0);
    const QueueStatus queue = client.declare(queue_on(1, persistent ? "persistent" : "transient"));
    client.publish_to(queue.name, numbers(5), persistent);
    client.consume(queue.name, 1, 0, true);
    settle();
    EXPECT_EQ(client.bodies(), numbers(5));
    EXPECT_EQ(find(queue)->total(), 0U);
  }
}

TEST_F(Consumption, what_a_session_holds_goes_back_when_it_puts_it_back_and_what_is_on_its_way_by_itself) {
  start(2);
  TestSession& client = session(1);
  const QueueStatus queue = client.declare(queue_on(0));
  client.publish_to(queue.name, numbers(6));
  // The deliveries are sent, and the session ends before they arrive.
  client.within([&](Session& session) {
    ConsumeOptions wanted;
    wanted.queue = queue.name;
    wanted.consumer = 1;
    session.consume(wanted);
  });
  node->turn(0);
  EXPECT_EQ(find(queue)->out(), 6U);
  client.end();
  settle();
  EXPECT_EQ(find(queue)->out(), 0U);
  EXPECT_EQ(find(queue)->ready(), 6U);
  EXPECT_THAT(find(queue)->consumers(), IsEmpty());
}

TEST_F(Consumption, a_dropped_consumer_gives_back_what_was_on_its_way_in_order) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  client.publish_to(queue, numbers(6));
  ConsumeOptions wanted;
  wanted.queue = queue;
  wanted.consumer = 1;
  client.within([&](Session& session) { session.consume(wanted); });
  node->turn(0);
  client.within([](Session& session) { session.drop_consumer(1); });
  settle();
  EXPECT_THAT(client.deliveries, IsEmpty());
  client.consume(queue, 2);
  settle();
  EXPECT_EQ(client.bodies(), numbers(6));
  for (const TakenDelivery& delivery : client.deliveries) EXPECT_EQ(delivery.consumer, 2U);
}

TEST_F(Consumption, a_cancel_is_answered_after_the_last_delivery) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  client.publish_to(queue, numbers(3));
  client.consume(queue);
  std::size_t before_answer = 0;
  client.on_answer = [&] { before_answer = client.deliveries.size(); };
  const Reply answer = client.ask([](Session& session) { session.cancel(1); });
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(std::get<Cancelled>(*answer).consumer, 1U);
  settle();
  EXPECT_EQ(client.deliveries.size(), before_answer);
}

TEST_F(Consumption, a_congested_session_gets_a_bounded_window_and_the_rest_when_it_is_free_again) {
  start(2);
  TestSession& publisher = session(0);
  const std::string queue = queue_on(0);
  publisher.declare(queue);
  const std::size_t count = limits::delivery_window_messages + 500;
  publisher.publish_to(queue, std::vector<std::string>(count, "m"), false);
  for (std::uint16_t shard = 0; shard < 2; ++shard) {
    TestSession& client = session(shard);
    client.within([](Session& session) { session.set_congested(true); });
    client.consume(queue);
    settle();
    EXPECT_EQ(client.deliveries.size(), limits::delivery_window_messages);
    client.within([](Session& session) { session.set_congested(false); });
    settle();
    EXPECT_EQ(client.deliveries.size(), count);
    client.within([&](Session& session) {
      session.drop_consumer(1);
      for (const TakenDelivery& held : client.deliveries) {
        session.settle(1, held.queue, held.seq, Outcome::requeue);
      }
    });
    client.end();
    settle();
  }
}

TEST_F(Consumption, the_window_counts_bytes_too) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  const std::string body(100'000, 'x');
  for (int i = 0; i < 30; ++i) client.publish_to(queue, {body}, false);
  client.within([](Session& session) { session.set_congested(true); });
  client.consume(queue);
  settle();
  EXPECT_GE(client.deliveries.size() * body.size(), limits::delivery_window_bytes);
  EXPECT_LT(client.deliveries.size() * body.size(), limits::delivery_window_bytes + 2 * body.size());
  client.within([](Session& session) { session.set_congested(false); });
  settle();
  EXPECT_EQ(client.deliveries.size(), 30U);
}

TEST_F(Consumption, messages_that_left_memory_are_delivered_from_the_disk_in_order) {
  options.journal.cache_bytes = 16U << 10;
  options.journal.read_cache_bytes = 64U << 10;
  options.faults.slow_one_in = 3;
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  std::vector<std::string> sent;
  for (int i = 0; i < 300; ++i) sent.push_back(std::to_string(i) + std::string(1500, 'x'));
  for (std::size_t i = 0; i < sent.size(); i += 20) {
    client.publish_to(queue, std::vector(sent.begin() + static_cast<std::ptrdiff_t>(i),
                                         sent.begin() + static_cast<std::ptrdiff_t>(i + 20)));
  }
  client.consume(queue, 1, 10);
  std::size_t settled = 0;
  ASSERT_TRUE(node->until([&] {
    while (settled < client.deliveries.size()) client.settle(TakenDelivery(client.deliveries[settled++]));
    return client.deliveries.size() == sent.size();
  }));
  EXPECT_EQ(client.bodies(), sent);
  EXPECT_GT(node->shard(0).journal().stats().reads, 0U);
}

TEST_F(Consumption, a_get_takes_the_head_and_says_what_is_left) {
  start(2);
  TestSession& client = session(0);
  const std::string queue = queue_on(1);
  client.declare(queue);
  EXPECT_FALSE(client.get(queue).has_value());
  client.publish_to(queue, numbers(3));
  const auto got = client.get(queue);
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->body, "0");
  EXPECT_EQ(std::get<Got>(**client.reply).messages_left, 2U);
  client.settle(*got, Outcome::requeue);
  const auto again = client.get(queue, true);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->body, "0");
  EXPECT_TRUE(again->redelivered);
  settle();
  EXPECT_EQ(client.ready(queue), 2U);
}

TEST_F(Consumption, gets_that_follow_from_within_the_answer_are_served) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.publish_to("q", numbers(5));
  std::vector<std::string> got;
  Session* its_session = nullptr;
  client.within([&](Session& session) { its_session = &session; });
  client.on_answer = [&] {
    if (!client.got) return;
    got.push_back(client.got->body);
    client.got.reset();
    its_session->get("q", false);
  };
  client.within([&](Session& session) { session.get("q", false); });
  settle();
  EXPECT_EQ(got, numbers(5));
}

TEST_F(Consumption, gets_wait_their_turn_while_the_head_comes_from_the_disk) {
  options.journal.cache_bytes = 16U << 10;
  options.faults.slow_one_in = 2;
  start(2);
  TestSession& publisher = session(0);
  const std::string queue = queue_on(0);
  publisher.declare(queue);
  std::vector<std::string> sent;
  for (int i = 0; i < 100; ++i) sent.push_back(std::to_string(i) + std::string(2000, 'x'));
  publisher.publish_to(queue, sent);
  std::vector<TestSession*> readers;
  for (std::uint16_t i = 0; i < 6; ++i) readers.push_back(&session(i % 2));
  for (TestSession* reader : readers) {
    reader->ask_only([&](Session& session) { session.get(queue, false); });
  }
  settle();
  std::vector<std::string> got;
  for (TestSession* reader : readers) {
    ASSERT_TRUE(reader->got.has_value());
    got.push_back(reader->got->body);
  }
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, std::vector(sent.begin(), sent.begin() + 6));
}

TEST_F(Consumption, a_get_whose_session_ends_meanwhile_goes_back) {
  start(2);
  TestSession& client = session(1);
  const QueueStatus queue = client.declare(queue_on(0));
  client.publish_to(queue.name, {"one"});
  client.ask_only([&](Session& session) { session.get(queue.name, false); });
  node->turn(0);
  EXPECT_EQ(find(queue)->out(), 1U);
  client.end();
  settle();
  EXPECT_EQ(find(queue)->ready(), 1U);
}

TEST_F(Consumption, an_exclusive_consumer_keeps_others_away) {
  start();
  TestSession& first = session();
  TestSession& second = session();
  first.declare("q");
  ConsumeOptions wanted;
  wanted.queue = "q";
  wanted.consumer = 1;
  wanted.exclusive = true;
  ASSERT_TRUE(first.ask([&](Session& session) { session.consume(wanted); }));
  const Reply refused = second.consume("q");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::access_refused);
  first.end();
  settle();
  EXPECT_TRUE(second.consume("q").has_value());
  const Reply too_late = session().ask([&](Session& session) { session.consume(wanted); });
  ASSERT_FALSE(too_late.has_value()) << "exclusive use needs a queue without consumers";
}

TEST_F(Consumption, a_purge_takes_what_is_ready_for_good) {
  start(2);
  TestSession& client = session(0);
  const std::string queue = queue_on(1);
  client.declare(queue);
  client.publish_to(queue, numbers(5));
  client.consume(queue, 1, 2);
  settle();
  const Reply purged = client.ask([&](Session& session) { session.purge_queue(queue); });
  ASSERT_TRUE(purged.has_value());
  EXPECT_EQ(std::get<Purged>(*purged).messages, 3U);
  settle();
  crash();
  EXPECT_EQ(session().ready(queue), 2U) << "what was out is back";
}

}  // namespace weir::node
