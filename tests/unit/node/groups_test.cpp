// Order by key with competing consumers.
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;

class Groups : public NodeTest {
 protected:
  static broker::Table by(const std::string& header) {
    broker::Table table;
    table.set("x-message-groups", {header});
    return table;
  }
  static TestMessage message(const std::string& queue, const std::string& body, const std::string& key,
                             bool persistent = true) {
    TestMessage made{"", queue, body, persistent};
    if (!key.empty()) made.headers.set("key", {key});
    return made;
  }
  std::vector<TakenDelivery> take(TestSession& by, const std::string& queue) {
    std::vector<TakenDelivery> taken;
    while (const auto got = by.get(queue)) taken.push_back(*got);
    return taken;
  }
  static std::vector<std::string> bodies(const std::vector<TakenDelivery>& taken) {
    std::vector<std::string> all;
    for (const TakenDelivery& one : taken) all.push_back(one.body);
    return all;
  }
};

TEST_F(Groups, one_message_of_each_is_out_at_a_time) {
  start(2);
  TestSession& client = session(1);
  for (const bool persistent : {true, false}) {
    const std::string queue = queue_on(0, persistent ? "p" : "t");
    client.declare(queue, by("key"));
    client.publish({message(queue, "a1", "a", persistent), message(queue, "a2", "a", persistent),
                    message(queue, "b1", "b", persistent), message(queue, "free", "", persistent),
                    message(queue, "a3", "a", persistent)});
    ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
    std::vector<TakenDelivery> out = take(client, queue);
    EXPECT_THAT(bodies(out), ElementsAre("a1", "b1", "free"));
    client.settle(out[0]);
    out = take(client, queue);
    EXPECT_THAT(bodies(out), ElementsAre("a2"));
    client.settle(out[0], Outcome::requeue);
    out = take(client, queue);
    EXPECT_THAT(bodies(out), ElementsAre("a2"));
    client.settle(out[0], Outcome::discard);
    EXPECT_THAT(bodies(take(client, queue)), ElementsAre("a3"));
  }
}

TEST_F(Groups, go_on_with_another_consumer_when_one_goes) {
  start();
  TestSession& client = session();
  client.declare("q", by("key"));
  TestSession& first = session();
  first.consume("q", 1);
  client.publish({message("q", "a1", "a"), message("q", "a2", "a")});
  settle();
  EXPECT_THAT(first.bodies(), ElementsAre("a1"));
  TestSession& second = session();
  second.consume("q", 1);
  settle();
  EXPECT_THAT(second.bodies(), IsEmpty());
  first.within([&](Session& session) {
    session.settle(1, first.deliveries[0].queue, first.deliveries[0].seq, Outcome::requeue);
    session.drop_consumer(1);
  });
  settle();
  ASSERT_FALSE(second.bodies().empty());
  EXPECT_EQ(second.bodies()[0], "a1");
}

TEST_F(Groups, are_known_after_a_crash) {
  start(2);
  const std::string queue = queue_on(1);
  {
    TestSession& client = session(0);
    client.declare(queue, by("key"));
    client.publish({message(queue, "a1", "a"), message(queue, "a2", "a"), message(queue, "b1", "b")});
    ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
    EXPECT_EQ(take(client, queue).size(), 2U);
  }
  crash();
  TestSession& client = session(0);
  std::vector<TakenDelivery> out = take(client, queue);
  EXPECT_THAT(bodies(out), ElementsAre("a1", "b1"));
  client.settle(out[0]);
  EXPECT_THAT(bodies(take(client, queue)), ElementsAre("a2"));
}

TEST_F(Groups, of_one_publish_to_several_queues_are_each_queue_s_own) {
  start(2);
  TestSession& client = session(1);
  const std::string grouped = queue_on(0, "grouped"), other = queue_on(0, "other"),
                    plain = queue_on(0, "plain");
  client.declare(grouped, by("key"));
  client.declare(other, by("not there"));
  client.declare(plain);
  for (const std::string& queue : {grouped, other, plain})
    ASSERT_TRUE(client.bind("amq.fanout", queue).has_value());
  TestMessage one = message("", "1", "a"), two = message("", "2", "a");
  one.exchange = two.exchange = "amq.fanout";
  client.publish({one, two});
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  EXPECT_THAT(bodies(take(client, grouped)), ElementsAre("1"));
  EXPECT_THAT(bodies(take(client, other)), ElementsAre("1", "2"));
  EXPECT_THAT(bodies(take(client, plain)), ElementsAre("1", "2"));
}

}  // namespace weir::node
