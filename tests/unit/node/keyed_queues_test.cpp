// Queues that drop what they have seen, and queues that keep the last value of each key.
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;

class KeyedQueues : public NodeTest {
 protected:
  std::vector<TakenDelivery> take(TestSession& by, const std::string& queue, bool no_ack = false) {
    std::vector<TakenDelivery> taken;
    while (const auto got = by.get(queue, no_ack)) taken.push_back(*got);
    return taken;
  }
  static std::vector<std::string> bodies(const std::vector<TakenDelivery>& taken) {
    std::vector<std::string> all;
    for (const TakenDelivery& one : taken) all.push_back(one.body);
    return all;
  }
  void publish(TestSession& by, const std::vector<TestMessage>& messages) {
    by.publish(messages);
    ASSERT_TRUE(node->until([&] { return by.all_confirmed(); }));
  }
  // The log grows by some files, and what was settled is given back.
  void churn(TestSession& by) {
    by.declare("busy");
    for (int i = 0; i < 40; ++i) by.publish_to("busy", {std::string(3'000, 'x')});
    take(by, "busy", true);
    settle();
  }
};

class Deduplication : public KeyedQueues {
 protected:
  static broker::Table window(std::int64_t ms, std::int64_t ids = 0) {
    broker::Table table;
    table.set("x-message-deduplication", {true});
    if (ms > 0) table.set("x-cache-ttl", {ms});
    if (ids > 0) table.set("x-cache-size", {ids});
    return table;
  }
  static TestMessage message(const std::string& queue, const std::string& body, const std::string& id,
                             bool persistent = true) {
    TestMessage made{"", queue, body, persistent};
    if (!id.empty()) made.headers.set("x-deduplication-header", {id});
    return made;
  }
};

TEST_F(Deduplication, confirms_and_drops_what_was_seen) {
  start(2);
  TestSession& client = session(1);
  for (const bool persistent : {true, false}) {
    const std::string queue = queue_on(0, persistent ? "p" : "t");
    client.declare(queue, window(10'000));
    publish(client, {message(queue, "1", "a", persistent), message(queue, "2", "a", persistent),
                     message(queue, "3", "b", persistent), message(queue, "4", "", persistent),
                     message(queue, "5", "", persistent), message(queue, "6", "b", persistent)});
    EXPECT_THAT(bodies(take(client, queue, true)), ElementsAre("1", "3", "4", "5"));
    publish(client, {message(queue, "7", "a", persistent)});
    EXPECT_THAT(take(client, queue), IsEmpty()) << "also when it was taken";
  }
  EXPECT_THAT(client.rejected, IsEmpty());
}

TEST_F(Deduplication, ends_with_its_window) {
  start();
  TestSession& client = session();
  client.declare("timed", window(500));
  client.declare("counted", window(0, 2));
  publish(client, {message("timed", "1", "a"), message("counted", "1", "a"), message("counted", "2", "b")});
  node->pass_ms(400);
  publish(client, {message("timed", "2", "a"), message("counted", "3", "a")});
  node->pass_ms(101);
  publish(client, {message("timed", "3", "a"), message("counted", "4", "c"), message("counted", "5", "a")});
  EXPECT_THAT(bodies(take(client, "timed")), ElementsAre("1", "3"));
  EXPECT_THAT(bodies(take(client, "counted")), ElementsAre("1", "2", "4", "5"));
}

TEST_F(Deduplication, of_a_header_of_its_own) {
  start();
  TestSession& client = session();
  broker::Table arguments = window(10'000);
  arguments.set("x-deduplication-header", {std::string("order")});
  client.declare("q", arguments);
  std::vector<TestMessage> messages;
  for (const std::int64_t order : {1, 2, 1}) {
    messages.push_back(message("q", std::to_string(order), "same"));
    messages.back().headers.set("order", {order});
  }
  publish(client, messages);
  EXPECT_THAT(bodies(take(client, "q")), ElementsAre("1", "2"));
}

TEST_F(Deduplication, is_each_queue_s_own) {
  start(2);
  TestSession& client = session(1);
  const std::string one = queue_on(0, "one"), two = queue_on(0, "two"), plain = queue_on(1, "plain");
  client.declare(one, window(10'000));
  client.declare(two, window(10'000));
  client.declare(plain);
  for (const std::string& queue : {one, plain}) ASSERT_TRUE(client.bind("amq.fanout", queue).has_value());
  TestMessage to_all = message("", "1", "a");
  to_all.exchange = "amq.fanout";
  publish(client, {to_all, to_all, message(two, "1", "a")});
  EXPECT_EQ(take(client, one).size(), 1U);
  EXPECT_EQ(take(client, two).size(), 1U);
  EXPECT_EQ(take(client, plain).size(), 2U);
}

TEST_F(Deduplication, does_not_know_what_a_full_queue_has_refused) {
  start();
  TestSession& client = session();
  broker::Table arguments = window(10'000);
  arguments.set("x-max-length", {std::int64_t{1}});
  arguments.set("x-overflow", {std::string("reject-publish")});
  client.declare("q", arguments);
  publish(client, {message("q", "1", "a"), message("q", "2", "b"), message("q", "3", "a")});
  EXPECT_EQ(client.rejected.size(), 1U);
  take(client, "q", true);
  publish(client, {message("q", "4", "b")});
  EXPECT_THAT(bodies(take(client, "q")), ElementsAre("4"));
}

TEST_F(Deduplication, does_not_drop_what_goes_around_by_dead_lettering) {
  start();
  TestSession& client = session();
  broker::Table retry, back = window(10'000);
  retry.set("x-message-ttl", {std::int64_t{50}});
  retry.set("x-dead-letter-exchange", {std::string()});
  retry.set("x-dead-letter-routing-key", {std::string("q")});
  back.set("x-dead-letter-exchange", {std::string()});
  back.set("x-dead-letter-routing-key", {std::string("retry")});
  client.declare("retry", retry);
  client.declare("q", back);
  publish(client, {message("q", "1", "a")});
  for (int round = 0; round < 3; ++round) {
    const auto got = client.get("q");
    ASSERT_TRUE(got.has_value()) << round;
    client.settle(*got, Outcome::discard);
    node->pass_ms(200);
  }
}

TEST_F(Deduplication, outlives_a_crash_and_the_files_of_its_messages) {
  start(2);
  const std::string queue = queue_on(1);
  {
    TestSession& client = session();
    client.declare(queue, window(600'000));
    std::vector<TestMessage> messages;
    for (int i = 0; i < 50; ++i) messages.push_back(message(queue, "first", std::to_string(i)));
    messages.push_back(message(queue, "not persistent", "n", false));
    publish(client, messages);
    EXPECT_EQ(take(client, queue, true).size(), 51U);
    for (int round = 0; round < 5; ++round) churn(client);
  }
  for (int restarts = 0; restarts < 3; ++restarts) {
    restarts == 1 ? restart() : crash();
    TestSession& client = session();
    std::vector<TestMessage> messages;
    for (int i = 0; i < 50; ++i) messages.push_back(message(queue, "again", std::to_string(i)));
    publish(client, messages);
    EXPECT_THAT(bodies(take(client, queue)), IsEmpty());
    for (int round = 0; round < 3; ++round) churn(client);
  }
  TestSession& client = session();
  publish(client, {message(queue, "again", "n"), message(queue, "new", "50")});
  EXPECT_THAT(bodies(take(client, queue)), ElementsAre("new"));
}

TEST_F(Deduplication, keeps_little_of_the_log) {
  start();
  TestSession& client = session();
  client.declare("q", window(600'000));
  publish(client, {message("q", "1", "a")});
  take(client, "q", true);
  for (int round = 0; round < 20; ++round) churn(client);
  node->pass_ms(5'000);
  const auto stats = node->shard(0).journal().stats();
  EXPECT_LT(stats.log_bytes, 8 * node::small_journal().file_bytes_max);
}

// --- last values ---

class LastValue : public KeyedQueues {
 protected:
  static broker::Table by(const std::string& header) {
    broker::Table table;
    table.set("x-last-value-key", {header});
    return table;
  }
  static TestMessage message(const std::string& body, const std::string& key, bool persistent = true) {
    TestMessage made{"", "q", body, persistent};
    if (!key.empty()) made.headers.set("key", {key});
    return made;
  }
};

TEST_F(LastValue, of_each_key_the_newest_message_is_there) {
  start();
  TestSession& client = session();
  client.declare("q", by("key"));
  publish(client, {message("a1", "a"), message("b1", "b"), message("none", ""), message("a2", "a"),
                   message("none", ""), message("a3", "a", false)});
  EXPECT_EQ(client.ready("q"), 4U);
  EXPECT_THAT(bodies(take(client, "q")), ElementsAre("b1", "none", "none", "a3"));
}

TEST_F(LastValue, that_is_out_is_replaced_when_it_comes_back) {
  start();
  TestSession& client = session();
  client.declare("q", by("key"));
  publish(client, {message("a1", "a"), message("b1", "b")});
  const auto out = client.get("q");
  ASSERT_TRUE(out.has_value());
  publish(client, {message("a2", "a")});
  client.settle(*out, Outcome::requeue);
  EXPECT_THAT(bodies(take(client, "q")), ElementsAre("b1", "a2"));
}

TEST_F(LastValue, is_the_same_after_a_crash) {
  start();
  {
    TestSession& client = session();
    client.declare("q", by("key"));
    publish(client, {message("a1", "a"), message("b1", "b"), message("c1", "c")});
    ASSERT_TRUE(client.get("q").has_value());
    ASSERT_TRUE(client.get("q").has_value());
    publish(client, {message("a2", "a")});
  }
  crash();
  {
    TestSession& client = session();
    EXPECT_EQ(client.ready("q"), 3U);
    publish(client, {message("c2", "c")});
    settle();
  }
  crash();
  TestSession& client = session();
  EXPECT_THAT(bodies(take(client, "q")), ElementsAre("b1", "a2", "c2"));
}

}  // namespace weir::node
