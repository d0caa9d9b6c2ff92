// Queues that get other arguments while they are there, with messages in them and consumers at them.
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;

class QueueUpdates : public NodeTest {
 protected:
  using Fields = std::initializer_list<std::pair<const char*, broker::Value>>;
  static broker::Value number(std::int64_t value) { return {value}; }
  static broker::Table fields(const Fields& all) {
    broker::Table table;
    for (const auto& [key, value] : all) table.set(key, value);
    return table;
  }
  void update(TestSession& by, const std::string& queue, const Fields& all) {
    broker::Table arguments = fields(all);
    arguments.set("x-update-arguments", {true});
    by.declare(queue, arguments);
    settle();
  }
  std::vector<std::string> drain(const std::string& queue) {
    std::vector<std::string> bodies;
    TestSession& reader = session();
    while (const auto got = reader.get(queue, true)) bodies.push_back(got->body);
    return bodies;
  }
};

TEST_F(QueueUpdates, act_on_the_messages_that_are_there_and_last) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  client.publish_to(queue, {"a", "b", "c"});
  update(client, queue, {{"x-max-length", number(2)}, {"x-overflow", {std::string("reject-publish")}}});
  EXPECT_EQ(client.ready(queue), 3U);
  client.publish({{"", queue, "d"}});
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  EXPECT_EQ(client.rejected.size(), 1U);
  update(client, queue, {{"x-max-length", number(2)}});
  EXPECT_EQ(client.ready(queue), 2U);
  crash();
  session(1).publish_to(queue, {"e"});
  EXPECT_THAT(drain(queue), ElementsAre("c", "e"));
  restart();
  session(1).publish_to(queue, {"f", "g", "h"});
  EXPECT_THAT(drain(queue), ElementsAre("g", "h"));
}

TEST_F(QueueUpdates, begin_and_end_the_rule_of_one_active_consumer) {
  start();
  TestSession& client = session();
  client.declare("q");
  TestSession& first = session();
  TestSession& second = session();
  ASSERT_TRUE(first.consume("q").has_value());
  ASSERT_TRUE(second.consume("q").has_value());
  update(client, "q", {{"x-single-active-consumer", {true}}});
  client.publish_to("q", {"1", "2", "3"});
  settle();
  EXPECT_THAT(first.bodies(), ElementsAre("1", "2", "3"));
  EXPECT_THAT(second.bodies(), IsEmpty());
  first.within([&](Session& session) {  // as a channel does that is closed
    session.drop_consumer(1);
    for (const TakenDelivery& one : first.deliveries) session.settle(1, one.queue, one.seq, Outcome::requeue);
  });
  settle();
  EXPECT_THAT(second.bodies(), ElementsAre("1", "2", "3"));
  TestSession& third = session();
  ASSERT_TRUE(third.consume("q").has_value());
  update(client, "q", {});
  client.publish_to("q", {"4", "5"});
  settle();
  EXPECT_EQ(second.bodies().size(), 4U);
  EXPECT_EQ(third.bodies().size(), 1U);
}

TEST_F(QueueUpdates, make_the_window_of_seen_ids_smaller) {
  start();
  TestSession& client = session();
  const auto publish = [&](const std::string& body, const std::string& id) {
    TestMessage message{"", "q", body};
    message.headers.set("x-deduplication-header", {id});
    client.publish({message});
    EXPECT_TRUE(node->until([&] { return client.all_confirmed(); }));
  };
  client.declare("q", fields({{"x-message-deduplication", {true}}, {"x-cache-size", number(100)}}));
  publish("1", "a");
  publish("2", "b");
  update(client, "q", {{"x-message-deduplication", {true}}, {"x-cache-size", number(1)}});
  publish("3", "b");
  publish("4", "a");
  EXPECT_THAT(drain("q"), ElementsAre("1", "2", "4"));
}

}  // namespace weir::node
