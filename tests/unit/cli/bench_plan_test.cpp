#include "cli/bench_plan.h"

#include <gtest/gtest.h>

#include <set>

namespace weir::cli {
namespace {

BenchPlan plan_of(const BenchOptions& options) {
  Result<BenchPlan> plan = make_plan(options);
  EXPECT_TRUE(plan) << plan.error().message;
  return std::move(*plan);
}

TEST(BenchPlan, producers_and_consumers_are_spread_round_robin_when_they_are_more_than_the_queues) {
  const BenchPlan plan = plan_of({.producers = 5, .consumers = 4, .queues = 2});
  ASSERT_EQ(plan.lanes.size(), 5U);
  for (std::uint32_t p = 0; p < 5; ++p) {
    ASSERT_EQ(plan.lanes_of_producer[p].size(), 1U);
    EXPECT_EQ(plan.lanes[plan.lanes_of_producer[p][0]].queue, p % 2);
  }
  EXPECT_EQ(plan.queues_of_consumer[3], std::vector<std::uint32_t>{1});
}

TEST(BenchPlan, fewer_producers_and_consumers_than_queues_take_several_each_and_leave_none_out) {
  const BenchPlan plan = plan_of({.producers = 3, .consumers = 2, .queues = 10});
  std::set<std::uint32_t> published;
  for (const BenchLane& lane : plan.lanes) published.insert(lane.queue);
  EXPECT_EQ(published.size(), 10U);
  EXPECT_EQ(plan.lanes.size(), 10U);
  EXPECT_EQ(plan.queues_of_consumer[0], (std::vector<std::uint32_t>{0, 2, 4, 6, 8}));
  EXPECT_EQ(plan.queues_of_consumer[1], (std::vector<std::uint32_t>{1, 3, 5, 7, 9}));
}

TEST(BenchPlan, each_lane_and_queue_that_belong_together_have_a_tracker_of_their_own) {
  for (const BenchOptions& options :
       {BenchOptions{.producers = 3, .queues = 5}, BenchOptions{.producers = 3, .fanout = 4}}) {
    const BenchPlan plan = plan_of(options);
    std::set<std::size_t> trackers;
    for (std::uint32_t lane = 0; lane < plan.lanes.size(); ++lane) {
      for (std::uint32_t queue = 0; queue < plan.queues.size(); ++queue) {
        if (!plan.belongs(lane, queue)) continue;
        EXPECT_TRUE(trackers.insert(plan.tracker_of(lane, queue)).second);
        EXPECT_LT(plan.tracker_of(lane, queue), plan.tracker_count());
      }
    }
    EXPECT_EQ(trackers.size(), plan.tracker_count());
  }
}

TEST(BenchPlan, what_producers_left_is_verified_with_the_lanes_that_they_had) {
  const BenchPlan filled = plan_of({.producers = 2, .consumers = 0, .queues = 3, .messages = 10});
  const BenchPlan plan = plan_of({.producers = 0, .filled_by = 2, .queues = 3, .messages = 10});
  ASSERT_EQ(plan.lanes.size(), filled.lanes.size());
  std::vector<std::uint64_t> shares;
  for (std::uint32_t lane = 0; lane < plan.lanes.size(); ++lane) {
    EXPECT_EQ(plan.lanes[lane].queue, filled.lanes[lane].queue);
    shares.push_back(plan.messages_of_lane(lane, 10));
  }
  // Producer 0 has five messages for lanes 0 and 2 in turn, producer 1 five for lane 1.
  EXPECT_EQ(shares, (std::vector<std::uint64_t>{3, 5, 2}));
}

TEST(BenchPlan, to_verify_what_producers_left_it_has_to_know_how_many_messages_and_publish_none) {
  EXPECT_FALSE(make_plan({.producers = 0, .filled_by = 1}));
  EXPECT_FALSE(make_plan({.producers = 1, .filled_by = 1, .messages = 10}));
  EXPECT_TRUE(make_plan({.producers = 0, .filled_by = 1, .messages = 10}));
}

TEST(BenchPlan, a_fanout_copies_each_message_to_all_of_its_queues) {
  const BenchPlan plan = plan_of({.producers = 1, .fanout = 10});
  EXPECT_EQ(plan.queues.size(), 10U);
  EXPECT_EQ(plan.copies(), 10U);
  EXPECT_EQ(plan.exchange_type, "fanout");
}

TEST(BenchPlan, a_routing_key_of_its_own_reaches_every_queue_bound_by_it) {
  BenchOptions options{.queues = 3};
  options.exchange = "amq.topic";
  options.routing_key = "a.b.c";
  options.binding_key = "a.#";
  const BenchPlan plan = plan_of(options);
  EXPECT_TRUE(plan.broadcast);
  EXPECT_EQ(plan.exchange_type, "");  // exists
  EXPECT_EQ(plan.binding_key, "a.#");
  EXPECT_EQ(plan.lanes[0].routing_key, "a.b.c");
}

TEST(BenchPlan, options_that_contradict_each_other_are_refused) {
  const auto refused = [](auto&& change) {
    BenchOptions options;
    change(options);
    return !make_plan(options).has_value();
  };
  EXPECT_TRUE(refused([](BenchOptions& o) { o.producers = o.consumers = 0; }));
  EXPECT_TRUE(refused([](BenchOptions& o) { o.queues = 0; }));
  EXPECT_TRUE(refused([](BenchOptions& o) { o.window = 0; }));
  EXPECT_TRUE(refused([](BenchOptions& o) { o.ack_every = o.prefetch + 1; }));
  EXPECT_TRUE(refused([](BenchOptions& o) { o.routing_key = "k"; }));
  EXPECT_TRUE(refused([](BenchOptions& o) { o.queue_type = "quorum", o.durable_queue = false; }));
  EXPECT_TRUE(refused([](BenchOptions& o) { o.fanout = 2, o.exchange = "x"; }));
  EXPECT_TRUE(refused([](BenchOptions& o) { o.size_bytes = 17U << 20; }));
  EXPECT_TRUE(refused([](BenchOptions& o) { o.backlog = 10, o.consumers = 0; }));
  EXPECT_TRUE(refused([](BenchOptions& o) { o.seconds = 0; }));
}

}  // namespace
}  // namespace weir::cli
