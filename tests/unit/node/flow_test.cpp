// When publishers are told to stop, and to go on.
#include "base/limits.h"
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class Flow : public NodeTest {};

TEST_F(Flow, a_session_that_has_its_window_out_is_stopped_alone_and_goes_on_by_itself) {
  start(2);
  TestSession& client = session(0);
  TestSession& other = session(0);
  const std::string queue = queue_on(1);
  client.declare(queue);
  settle();
  const std::string body(1U << 20, 'x');
  std::vector<TestMessage> messages(limits::publish_window_bytes / body.size() + 1, {"", queue, body, false});
  client.publish(messages);
  EXPECT_THAT(client.flow, ElementsAre(Pair(false, "")));
  settle();
  EXPECT_THAT(client.flow, ElementsAre(Pair(false, ""), Pair(true, "")));
  EXPECT_THAT(other.flow, IsEmpty());
}

TEST_F(Flow, messages_in_memory_beyond_the_watermark_raise_an_alarm_on_all_shards_until_they_are_gone) {
  options.transient_bytes_max = 200'000;
  start(2);
  TestSession& client = session(0);
  TestSession& other = session(1);
  const std::string queue = queue_on(1);
  client.declare(queue, false);
  client.publish_to(queue, std::vector<std::string>(30, std::string(10'000, 'x')));
  ASSERT_TRUE(node->until([&] { return !client.flow.empty() && !other.flow.empty(); }));
  EXPECT_THAT(client.flow, ElementsAre(Pair(false, "memory")));
  EXPECT_THAT(other.flow, ElementsAre(Pair(false, "memory")));
  TestSession& late = session(0);
  EXPECT_THAT(late.flow, ElementsAre(Pair(false, "memory"))) << "who comes later is told too";
  ASSERT_TRUE(other.ask([&](Session& session) { session.purge_queue(queue); }));
  ASSERT_TRUE(node->until([&] { return client.flow.back().first && other.flow.back().first; }));
  EXPECT_EQ(client.flow.size(), 2U);
  EXPECT_EQ(node->counters().transient_bytes.load(), 0U);
}

TEST_F(Flow, a_message_in_several_queues_counts_its_memory_once) {
  start();
  TestSession& client = session();
  for (const char* queue : {"a", "b", "c", "d"}) {
    client.declare(queue, false);
    ASSERT_TRUE(client.bind("amq.fanout", queue));
  }
  client.publish({{"amq.fanout", "", std::string(50'000, 'x'), false}});
  EXPECT_LT(node->counters().transient_bytes.load(), 60'000U);
  for (const char* queue : {"a", "b", "c"}) EXPECT_TRUE(client.get(queue, true).has_value());
  EXPECT_GT(node->counters().transient_bytes.load(), 50'000U);
  EXPECT_TRUE(client.get("d", true).has_value());
  EXPECT_EQ(node->counters().transient_bytes.load(), 0U);
}

TEST_F(Flow, a_journal_that_is_far_behind_stops_publishers_until_it_has_caught_up) {
  options.faults.slow_one_in = 1;
  options.journal.first_file_bytes = 64U << 20;
  options.journal.file_bytes_max = 64U << 20;
  options.journal.batch_bytes_max = 1U << 20;
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  std::size_t published = 0;
  const std::string body(1U << 20, 'x');
  while (client.flow.empty() && published < 100) {
    client.publish({{"", queue, body}});
    ++published;
    node->turn(0);
  }
  ASSERT_FALSE(client.flow.empty());
  EXPECT_FALSE(client.flow[0].first);
  EXPECT_EQ(client.flow[0].second, "") << "that is no alarm: it passes";
  ASSERT_TRUE(node->until([&] { return client.flow.back().first; }));
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  EXPECT_THAT(client.rejected, IsEmpty());
}

TEST_F(Flow, a_disk_that_does_not_answer_stops_publishers_and_then_the_process) {
  start();
  TestSession& client = session();
  client.declare("q");
  settle();
  plan.stuck = true;
  client.publish_inside({{"", "q", "waits"}});
  node->pass_ms(900);
  EXPECT_TRUE(client.flow.empty()) << "it may just be slow";
  node->pass_ms(200);
  ASSERT_FALSE(client.flow.empty());
  EXPECT_FALSE(client.flow.back().first);
  EXPECT_EQ(client.flow.back().second, "disk throughput");
  plan.stuck = false;
  ASSERT_TRUE(node->until([&] { return client.flow.back().first; })) << "it was slow";
  EXPECT_TRUE(client.all_confirmed());
  plan.stuck = true;
  client.publish_inside({{"", "q", "is lost"}});
  node->pass_ms(29'000);
  EXPECT_FALSE(node->failed());
  node->pass_ms(2'000);
  EXPECT_TRUE(node->failed()) << "somebody must look at the disk";
  plan.stuck = false;
}

TEST_F(Flow, a_snapshot_that_finds_no_room_is_tried_again_now_and_then_not_all_the_time) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.consume("q");
  settle();
  for (int i = 0; i < 12; ++i) client.publish_to("q", {std::string(20'000, 'x')});
  plan.full = true;
  for (const TakenDelivery& delivery : std::vector(client.deliveries)) client.settle(delivery);
  EXPECT_TRUE(node->settle()) << "it rests between the tries";
  plan.full = false;
  node->pass_ms(3'000);
  EXPECT_LE(node->shard(0).journal().stats().files, 2U) << "and gives the files back when there is room";
}

TEST_F(Flow, sessions_are_asked_to_close) {
  start();
  TestSession& client = session();
  node->turn(0, [&] { node->shard(0).sessions().close_all({ErrorCode::closed, "shutdown"}); });
  EXPECT_THAT(client.close_reasons, ElementsAre("shutdown"));
  EXPECT_EQ(node->shard(0).sessions().count(), 1U);
  client.end();
  EXPECT_EQ(node->shard(0).sessions().count(), 0U);
}

}  // namespace weir::node
