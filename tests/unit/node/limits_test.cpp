// Queues that hold so many messages and no more.
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;

class Limits : public NodeTest {
 protected:
  static broker::Table limits(std::int64_t messages, std::int64_t bytes = -1,
                              const char* overflow = nullptr) {
    broker::Table arguments;
    if (messages >= 0) arguments.set("x-max-length", {messages});
    if (bytes >= 0) arguments.set("x-max-length-bytes", {bytes});
    if (overflow != nullptr) arguments.set("x-overflow", {std::string(overflow)});
    return arguments;
  }
  std::vector<std::string> drain(const std::string& queue) {
    std::vector<std::string> bodies;
    TestSession& reader = session();
    while (const auto got = reader.get(queue, true)) bodies.push_back(got->body);
    return bodies;
  }
};

TEST_F(Limits, drop_the_oldest_messages) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue, limits(2));
  client.publish_to(queue, {"a", "b", "c"});
  client.publish_to(queue, {"d"}, false);
  settle();
  EXPECT_EQ(node->shard(0).host().stats().dropped, 2U);
  restart();
  EXPECT_THAT(drain(queue), ElementsAre("c"));
}

TEST_F(Limits, of_bytes_count_bodies) {
  start();
  TestSession& client = session();
  client.declare("q", limits(-1, 10));
  client.publish_to("q", {"aaaa", "bbbb", "cc"});
  EXPECT_EQ(client.ready("q"), 3U);
  client.publish_to("q", {"d"});
  settle();
  EXPECT_THAT(drain("q"), ElementsAre("bbbb", "cc", "d"));
}

TEST_F(Limits, do_not_count_what_consumers_have) {
  start();
  TestSession& client = session();
  client.declare("q", limits(1));
  client.consume("q", 1, 2);
  client.publish_to("q", {"a", "b", "c", "d"});
  settle();
  EXPECT_THAT(client.bodies(), ElementsAre("a", "b"));
  EXPECT_THAT(drain("q"), ElementsAre("d"));
}

TEST_F(Limits, refuse_new_messages_when_they_are_asked_to) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue, limits(2, -1, "reject-publish"));
  client.publish({{"", queue, "a"}, {"", queue, "b"}, {"", queue, "c"}});
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  ASSERT_EQ(client.rejected.size(), 1U);
  EXPECT_EQ(std::get<1>(client.rejected[0]), 3U);
  EXPECT_THAT(drain(queue), ElementsAre("a", "b"));
  client.publish_to(queue, {"d"});
  EXPECT_EQ(client.rejected.size(), 1U);
}

TEST_F(Limits, that_refuse_hold_after_a_restart) {
  start();
  session().declare("q", limits(-1, 10, "reject-publish"));
  session().publish_to("q", {"12345678"});
  crash();
  TestSession& client = session();
  client.publish({{"", "q", "abc"}, {"", "q", "ab"}});
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  ASSERT_EQ(client.rejected.size(), 1U);
  EXPECT_THAT(drain("q"), ElementsAre("12345678", "ab"));
}

TEST_F(Limits, refuse_for_one_queue_and_the_others_take_it) {
  start(2);
  TestSession& client = session(1);
  const std::string full = queue_on(0, "full"), other = queue_on(1, "other"), same = queue_on(0, "same");
  client.declare(full, limits(0, -1, "reject-publish"));
  for (const std::string& queue : {other, same}) client.declare(queue);
  for (const std::string& queue : {full, other, same})
    ASSERT_TRUE(client.bind("amq.fanout", queue).has_value());
  client.publish({{"amq.fanout", "", "a"}});
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  EXPECT_EQ(client.rejected.size(), 1U);
  EXPECT_THAT(drain(full), IsEmpty());
  EXPECT_THAT(drain(other), ElementsAre("a"));
  EXPECT_THAT(drain(same), ElementsAre("a"));
}

}  // namespace weir::node
