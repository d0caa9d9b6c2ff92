// Publishing and confirms, on one shard and over several.
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;

class Publishing : public NodeTest {};

TEST_F(Publishing, a_persistent_message_is_confirmed_when_it_is_on_the_disk) {
  start();
  TestSession& client = session();
  client.declare("q");
  settle();
  const Lsn before = node->shard(0).journal().durable();
  client.publish({{"", "q", "hello"}});
  EXPECT_EQ(client.confirmed[0], 0U) << "not in the turn in which it came";
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  EXPECT_GT(node->shard(0).journal().durable(), before);
  EXPECT_EQ(client.ready("q"), 1U);
}

TEST_F(Publishing, a_transient_message_is_confirmed_in_its_turn) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.publish({{"", "q", "hello", false}});
  EXPECT_EQ(client.confirmed[0], 1U);
}

TEST_F(Publishing, a_persistent_message_to_a_transient_queue_waits_for_no_disk) {
  start();
  TestSession& client = session();
  client.declare("q", false);
  settle();
  const Lsn end = node->shard(0).journal().end();
  client.publish({{"", "q", "hello", true}});
  EXPECT_EQ(client.confirmed[0], 1U);
  EXPECT_EQ(node->shard(0).journal().end(), end);
}

TEST_F(Publishing, a_transient_message_waits_its_turn_behind_a_persistent_one) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.consume("q");
  settle();
  client.publish({{"", "q", "first", true}, {"", "q", "second", false}});
  EXPECT_EQ(client.confirmed[0], 0U) << "confirms ascend";
  EXPECT_TRUE(client.deliveries.empty());
  settle();
  EXPECT_THAT(client.bodies(), ElementsAre("first", "second"));
  EXPECT_EQ(client.confirmed[0], 2U);
}

TEST_F(Publishing, an_unroutable_message_is_told_and_confirmed) {
  start();
  TestSession& client = session();
  const auto results = client.publish({{"", "nobody", "hello"}});
  ASSERT_TRUE(results[0].has_value());
  EXPECT_EQ(*results[0], PublishResult::unroutable);
  EXPECT_EQ(client.confirmed[0], 1U);
}

TEST_F(Publishing, an_unknown_exchange_is_an_error_and_nothing_was_published) {
  start();
  TestSession& client = session();
  const auto results = client.publish({{"nowhere", "k", "hello"}});
  ASSERT_FALSE(results[0].has_value());
  EXPECT_EQ(results[0].error().code, ErrorCode::not_found);
  settle();
  EXPECT_EQ(client.confirmed[0], 0U);
}

TEST_F(Publishing, the_confirm_of_a_fan_out_comes_when_every_shard_has_its_share) {
  start(3);
  TestSession& client = session();
  std::vector<std::string> queues;
  for (std::uint16_t shard = 0; shard < 3; ++shard) {
    queues.push_back(queue_on(shard));
    client.declare(queues.back());
    ASSERT_TRUE(client.bind("amq.fanout", queues.back()));
  }
  settle();
  client.publish({{"amq.fanout", "", "to all"}});
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  // What is confirmed is on every disk: nothing else may happen between the confirm and the power loss.
  crash();
  TestSession& reader = session(1);
  for (const std::string& queue : queues) {
    const auto got = reader.get(queue);
    ASSERT_TRUE(got.has_value()) << queue;
    EXPECT_EQ(got->body, "to all");
  }
}

TEST_F(Publishing, what_one_publisher_sends_to_a_queue_of_another_shard_keeps_its_order_and_its_bytes) {
  options.late_mail = true;
  start(2);
  TestSession& client = session(0);
  const std::string queue = queue_on(1);
  client.declare(queue);
  std::vector<std::string> sent;
  for (int i = 0; i < 50; ++i)
    sent.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i * 37), 'x'));
  for (std::size_t i = 0; i < sent.size(); i += 5) {
    std::vector<TestMessage> burst;
    for (std::size_t j = i; j < i + 5; ++j) burst.push_back({"", queue, sent[j], j % 3 != 0});
    client.publish(burst);
  }
  TestSession& reader = session(0);
  reader.consume(queue);
  settle();
  EXPECT_EQ(reader.bodies(), sent);
  EXPECT_TRUE(client.all_confirmed());
}

TEST_F(Publishing, a_publisher_whose_number_is_used_again_hears_nothing_of_its_predecessor) {
  start(2);
  TestSession& client = session(0);
  const std::string queue = queue_on(1);
  client.declare(queue);
  settle();
  client.publish({{"", queue, "a"}, {"", queue, "b"}, {"", queue, "c"}});
  client.within([](Session& session) { session.close_publisher(0); });
  client.published.clear();
  client.confirmed.clear();
  client.publish({{"", queue, "d"}});
  settle();
  EXPECT_EQ(client.confirmed[0], 1U);
  EXPECT_EQ(client.ready(queue), 4U) << "what was published stays published";
}

TEST_F(Publishing, publishers_of_one_session_are_confirmed_apart) {
  start(2);
  TestSession& client = session(0);
  const std::string far = queue_on(1);
  client.declare(far);
  settle();
  client.publish({{"", far, "slow", true, 1}, {"", "nobody", "quick", true, 2}});
  EXPECT_EQ(client.confirmed[1], 0U);
  EXPECT_EQ(client.confirmed[2], 1U);
  settle();
  EXPECT_EQ(client.confirmed[1], 1U);
}

TEST_F(Publishing, publishers_may_come_and_go_from_within_a_confirm) {
  start();
  TestSession& client = session();
  client.declare("q");
  Session* its_session = nullptr;
  client.within([&](Session& session) { its_session = &session; });
  std::vector<TestMessage> messages;
  for (PublisherNumber publisher = 1; publisher <= 20; ++publisher) {
    messages.push_back({"", "q", "x", true, publisher});
  }
  client.publish(messages);
  bool first = true;
  client.on_confirm = [&](PublisherNumber confirmed) {
    if (!std::exchange(first, false)) return;
    for (PublisherNumber publisher = 1; publisher <= 20; ++publisher) {
      if (publisher != confirmed) its_session->close_publisher(publisher);
    }
    for (PublisherNumber publisher = 100; publisher < 200; ++publisher) {
      client.publish_inside({{"", "q", "y", true, publisher}});
    }
  };
  settle();
  EXPECT_EQ(client.confirmed.size(), 101U) << "of those that were closed nothing is heard";
  EXPECT_EQ(client.ready("q"), 120U);
}

TEST_F(Publishing, a_cached_route_ends_when_the_definitions_change) {
  start();
  TestSession& client = session();
  client.declare("a");
  client.declare("b");
  ASSERT_TRUE(client.bind("amq.direct", "a", "k"));
  client.publish({{"amq.direct", "k", "one"}});
  ASSERT_TRUE(client.bind("amq.direct", "b", "k"));
  client.publish({{"amq.direct", "k", "two"}});
  settle();
  EXPECT_EQ(client.ready("a"), 2U);
  EXPECT_EQ(client.ready("b"), 1U);
}

TEST_F(Publishing, is_refused_while_the_disk_is_full_and_goes_on_when_there_is_room) {
  start();
  TestSession& client = session();
  const QueueStatus queue = client.declare("q");
  client.consume("q");
  settle();
  plan.full = true;
  const std::string big(20'000, 'x');
  for (int i = 0; i < 200 && client.rejected.empty(); ++i) {
    client.publish({{"", "q", big}});
    node->step();
  }
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); })) << "each one is answered, taken or not";
  ASSERT_FALSE(client.rejected.empty());
  EXPECT_FALSE(client.flow.empty());
  EXPECT_FALSE(client.flow.back().first);
  EXPECT_EQ(client.flow.back().second, "disk");
  const std::size_t taken = client.published[0] - client.rejected.size();
  EXPECT_EQ(client.deliveries.size(), taken) << "what was refused is not delivered, what was taken is";
  // Acks go on: they are what frees the space.
  for (const TakenDelivery& delivery : std::vector(client.deliveries)) client.settle(delivery);
  EXPECT_TRUE(node->until([&] { return find(queue)->total() == 0; }));
  node->pass_ms(60'000);
  plan.full = false;
  node->pass_ms(2'000);
  ASSERT_TRUE(client.flow.back().first)
      << "it is told soon when there is room again, however long there was none";
  client.rejected.clear();
  client.publish_to("q", {"after"});
  EXPECT_TRUE(client.rejected.empty());
  EXPECT_EQ(client.deliveries.back().body, "after");
}

TEST_F(Publishing, what_is_confirmed_is_there_for_a_get_at_once) {
  options.journal.batch_bytes_max = 4096;
  start();
  TestSession& loader = session();
  TestSession& client = session();
  loader.declare("busy");
  client.declare("q");
  settle();
  // A turn of many batches: the last message of `busy` is in a later one than the message of `q`.
  node->turn(0, [&] {
    loader.publish_inside({{"", "busy", std::string(3000, 'x')}});
    client.publish_inside({{"", "q", "mine"}});
    for (int i = 0; i < 20; ++i) loader.publish_inside({{"", "busy", std::string(3000, 'x')}});
  });
  while (!client.all_confirmed()) ASSERT_TRUE(node->step());
  client.within([](Session& session) { session.get("q", false); });
  ASSERT_TRUE(client.got.has_value());
  EXPECT_EQ(client.got->body, "mine");
}

TEST_F(Publishing, a_transient_message_is_confirmed_when_it_is_visible) {
  options.journal.batch_bytes_max = 4096;
  start();
  TestSession& loader = session();
  TestSession& client = session();
  loader.declare("busy");
  client.declare("q");
  settle();
  node->turn(0, [&] {
    loader.publish_inside({{"", "q", "before"}});
    for (int i = 0; i < 20; ++i) loader.publish_inside({{"", "busy", std::string(3000, 'x')}});
    client.publish_inside({{"", "q", "mine", false}});
    for (int i = 0; i < 20; ++i) loader.publish_inside({{"", "busy", std::string(3000, 'x')}});
  });
  while (!client.all_confirmed()) ASSERT_TRUE(node->step());
  EXPECT_EQ(client.ready("q"), 2U);
}

}  // namespace weir::node
