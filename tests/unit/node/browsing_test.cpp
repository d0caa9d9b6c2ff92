// Consumers that only look.
#include <optional>

#include "base/limits.h"
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Browsing : public NodeTest {
 protected:
  Reply browse(TestSession& by, const std::string& queue, ConsumerNumber number = 1, bool no_ack = true,
               std::optional<broker::Value> start = std::nullopt) {
    return by.ask([&](Session& session) {
      ConsumeOptions options;
      options.queue = queue;
      options.consumer = number;
      options.no_ack = no_ack;
      options.arguments.set("x-browse", {true});
      if (start) options.arguments.set("x-stream-offset", *start);
      session.consume(std::move(options));
    });
  }
};

TEST_F(Browsing, shows_what_is_there_and_what_comes_and_takes_nothing) {
  start(3);
  const std::string queue = queue_on(0);
  TestSession& client = session(1);
  const QueueStatus status = client.declare(queue);
  client.publish_to(queue, {"1", "2"});
  client.publish_to(queue, {"3"}, false);
  TestSession& here = session(0);
  TestSession& there = session(2);
  ASSERT_TRUE(browse(here, queue).has_value());
  ASSERT_TRUE(browse(there, queue).has_value());
  settle();
  EXPECT_THAT(here.bodies(), ElementsAre("1", "2", "3"));
  client.publish_to(queue, {"4"});
  settle();
  EXPECT_THAT(here.bodies(), ElementsAre("1", "2", "3", "4"));
  EXPECT_THAT(there.bodies(), ElementsAre("1", "2", "3", "4"));
  EXPECT_EQ(client.ready(queue), 4U);
  EXPECT_TRUE(find(status)->consumers().empty());
  const auto got = client.get(queue);
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->body, "1");
  EXPECT_FALSE(got->redelivered);
}

TEST_F(Browsing, goes_on_beside_consumers) {
  start(2);
  const std::string queue = queue_on(0);
  TestSession& client = session(1);
  client.declare(queue);
  TestSession& taker = session(1);
  taker.consume(queue, 1, 1);
  client.publish_to(queue, {"1", "2", "3"});
  settle();
  TestSession& looker = session(0);
  ASSERT_TRUE(browse(looker, queue).has_value());
  settle();
  EXPECT_THAT(looker.bodies(), ElementsAre("2", "3")) << "the first one is out";
  taker.settle(taker.deliveries[0]);
  client.publish_to(queue, {"4"});
  settle();
  EXPECT_THAT(looker.bodies(), ElementsAre("2", "3", "4"));
  EXPECT_THAT(taker.bodies(), ElementsAre("1", "2"));
}

TEST_F(Browsing, of_a_deep_queue_waits_for_the_window_of_who_looks) {
  start(2);
  const std::string queue = queue_on(0);
  TestSession& client = session(1);
  client.declare(queue);
  const std::string big(20'000, 'x');
  constexpr std::size_t count = 300;
  for (std::size_t i = 0; i < count; ++i) client.publish_to(queue, {std::to_string(i) + big});
  TestSession& looker = session(1);
  looker.within([](Session& session) { session.set_congested(true); });
  ASSERT_TRUE(browse(looker, queue).has_value());
  settle();
  EXPECT_LT(looker.deliveries.size() * big.size(), limits::delivery_window_bytes + 2 * big.size());
  EXPECT_GT(looker.deliveries.size(), 10U);
  looker.within([](Session& session) { session.set_congested(false); });
  ASSERT_TRUE(node->until([&] { return looker.deliveries.size() == count; }));
  for (std::size_t i = 0; i < count; ++i)
    EXPECT_EQ(looker.deliveries[i].body.substr(0, 3), (std::to_string(i) + big).substr(0, 3));
  EXPECT_EQ(client.ready(queue), count);
}

TEST_F(Browsing, ends_with_cancel_and_with_its_queue_and_disturbs_nobody) {
  options.late_mail = true;
  start(3);
  const std::string queue = queue_on(0);
  TestSession& client = session(1);
  client.declare(queue);
  TestSession& looker = session(2);
  ASSERT_TRUE(browse(looker, queue, 1).has_value());
  TestSession& taker = session(1);
  taker.consume(queue, 1);
  client.publish_to(queue, {"1", "2", "3"}, false);
  looker.within([](Session& session) { session.drop_consumer(1); });
  settle();
  EXPECT_THAT(taker.bodies(), SizeIs(3)) << "what was on its way to the one who looks is not put back";
  ASSERT_TRUE(browse(looker, queue, 2).has_value());
  ASSERT_TRUE(looker.ask([](Session& session) { session.cancel(2); }).has_value());
  const std::size_t seen = looker.deliveries.size();
  client.publish_to(queue, {"4"});
  settle();
  EXPECT_EQ(looker.deliveries.size(), seen);
  ASSERT_TRUE(browse(looker, queue, 3).has_value());
  client.ask([&](Session& session) { session.delete_queue(queue, false, false); });
  settle();
  EXPECT_THAT(looker.cancelled, ElementsAre(std::pair(ConsumerNumber{3}, CancelReason::queue_deleted)));
}

TEST_F(Browsing, needs_no_acknowledgements) {
  start();
  TestSession& client = session();
  client.declare("q");
  const Reply refused = browse(client, "q", 1, false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::precondition_failed);
  TestSession& other = session();
  ASSERT_TRUE(browse(other, "q").has_value());
  other.end();
  settle();
  client.publish_to("q", {"1"});
  EXPECT_EQ(client.ready("q"), 1U);
}

TEST_F(Browsing, begins_where_it_is_told_to) {
  start(2);
  const std::string queue = queue_on(0);
  TestSession& client = session(1);
  client.declare(queue);
  client.publish_to(queue, {"1", "2"});
  node->pass_ms(10'000);
  const std::uint64_t now_s = node->clock().wall_ms() / 1'000;
  client.publish_to(queue, {"3", "4"});
  settle();
  const auto seen_from = [&](broker::Value where) {
    TestSession& looker = session(1);
    EXPECT_TRUE(browse(looker, queue, 1, true, std::move(where)).has_value());
    settle();
    return looker.bodies();
  };
  EXPECT_THAT(seen_from({std::string("first")}), ElementsAre("1", "2", "3", "4"));
  EXPECT_THAT(seen_from({std::string("last")}), ElementsAre("4"));
  EXPECT_THAT(seen_from({std::string("next")}), IsEmpty());
  EXPECT_THAT(seen_from({std::int64_t{1}}), ElementsAre("2", "3", "4"));
  EXPECT_THAT(seen_from({std::uint64_t{UINT64_MAX}}), IsEmpty());
  EXPECT_THAT(seen_from({broker::Timestamp{now_s}}), ElementsAre("3", "4"));
  EXPECT_THAT(seen_from({broker::Timestamp{UINT64_MAX}}), IsEmpty());
  TestSession& follower = session(0);
  ASSERT_TRUE(browse(follower, queue, 1, true, broker::Value{std::string("next")}).has_value());
  client.publish_to(queue, {"5"});
  settle();
  EXPECT_THAT(follower.bodies(), ElementsAre("5"));
  EXPECT_EQ(follower.deliveries.front().seq, Seq{4});
  for (broker::Value wrong : {broker::Value{std::string("middle")}, {std::int64_t{-1}}, {true}}) {
    const Reply refused = browse(follower, queue, 2, true, wrong);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::precondition_failed);
  }
}

TEST_F(Browsing, of_a_queue_that_is_empty_or_all_out_waits_for_what_comes) {
  start();
  TestSession& client = session();
  client.declare("q");
  TestSession& early = session();
  ASSERT_TRUE(browse(early, "q", 1, true, broker::Value{std::string("last")}).has_value());
  client.publish_to("q", {"1"});
  client.consume("q", 1, 5);
  settle();
  TestSession& late = session();
  ASSERT_TRUE(browse(late, "q", 1, true, broker::Value{std::string("last")}).has_value());
  settle();
  EXPECT_THAT(early.bodies(), ElementsAre("1"));
  EXPECT_THAT(late.bodies(), IsEmpty());
}

}  // namespace weir::node
