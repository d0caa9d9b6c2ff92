// How numbers were: what is kept, at which resolution, and for how long.
#include "admin/history.h"

#include <gtest/gtest.h>

#include "admin/recorder.h"
#include "runtime/sim/sim_disk.h"
#include "support/sim_node.h"
#include "support/test_session.h"

namespace weir::admin {
namespace {

constexpr std::uint64_t start_ms = 1'700'000'000'000;
constexpr std::uint64_t minute_ms = 60'000, hour_ms = 60 * minute_ms;

// One number that grows by 10 a second.
History grown_for(std::uint64_t ms) {
  History history(1);
  for (std::uint64_t at = 0; at <= ms; at += history_interval_ms) {
    const std::uint64_t value = at / 100;
    history.add(start_ms + at, std::span(&value, 1));
  }
  return history;
}

TEST(History, nothing_is_known_at_first) {
  const History history(2);
  EXPECT_TRUE(history.empty());
  EXPECT_EQ(history.rate(1), 0);
  EXPECT_EQ(history.latest(1), 0U);
  EXPECT_TRUE(history.samples(0, 60'000, 5'000).empty());
}

TEST(History, samples_come_newest_first_and_as_far_apart_as_was_asked) {
  const History history = grown_for(hour_ms);
  const auto samples = history.samples(0, 60'000, 10'000);
  ASSERT_EQ(samples.size(), 7U);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ(samples[i].at_ms, start_ms + hour_ms - i * 10'000);
    EXPECT_EQ(samples[i].value, (hour_ms - i * 10'000) / 100);
  }
  EXPECT_DOUBLE_EQ(history.rate(0), 10);
}

TEST(History, an_hour_and_a_day_are_told_in_larger_steps) {
  const History history = grown_for(30 * hour_ms);
  const auto hour = history.samples(0, hour_ms, minute_ms);
  EXPECT_EQ(hour.size(), 61U);
  EXPECT_LE(hour.front().value - hour.back().value, hour_ms / 100 + 600);
  EXPECT_GE(hour.front().value - hour.back().value, hour_ms / 100 - 600);
  const auto day = history.samples(0, 24 * hour_ms, hour_ms);
  EXPECT_EQ(day.size(), 25U);
  EXPECT_NEAR(static_cast<double>(day.front().value - day.back().value), 24 * hour_ms / 100.0, 12'000);
}

TEST(History, it_tells_no_more_than_it_knows_and_no_more_than_so_many) {
  const History young = grown_for(20'000);
  EXPECT_EQ(young.samples(0, 600'000, 5'000).size(), 5U);
  const History old = grown_for(30 * hour_ms);
  EXPECT_LE(old.samples(0, UINT64_MAX, 1).size(), History::samples_max);
  EXPECT_TRUE(old.samples(0, 1'000, 0).empty());
}

TEST(History, its_size_does_not_grow_with_time) {
  EXPECT_EQ(grown_for(30 * hour_ms).memory_bytes(), grown_for(60 * hour_ms).memory_bytes());
}

TEST(History, a_clock_that_was_set_back_loses_samples_and_nothing_else) {
  History history = grown_for(60'000);
  const std::uint64_t value = 1;
  history.add(start_ms, std::span(&value, 1));
  EXPECT_EQ(history.latest(0), 600U);
}

TEST(Recorder, the_sums_of_the_node_are_recorded_and_queues_while_somebody_looks) {
  runtime::SimStorage machine(3);
  node::SimNodeOptions options;
  options.shards = 2;
  node::SimNode node(machine, options);
  ASSERT_TRUE(node.start().has_value());
  {
    node::TestSession client(node);
    const node::QueueStatus queue = client.declare("q");
    std::unique_ptr<Recorder> recorder;
    node.turn(0, [&] { recorder = std::make_unique<Recorder>(node.shard(0)); });
    EXPECT_TRUE(recorder->of_queue(queue.queue).empty());
    for (int i = 0; i < 12; ++i) {
      client.publish_to("q", std::vector<std::string>(50, "x"));
      node.pass_ms(5'000);
    }
    const History& totals = recorder->totals();
    const History& of_queue = recorder->of_queue(queue.queue);
    EXPECT_NEAR(totals.rate(static_cast<std::size_t>(TotalSeries::publish)), 10, 2);
    EXPECT_NEAR(totals.rate(static_cast<std::size_t>(TotalSeries::messages)), 10, 2);
    EXPECT_NEAR(of_queue.rate(static_cast<std::size_t>(QueueSeries::publish)), 10, 2);
    EXPECT_GE(of_queue.samples(static_cast<std::size_t>(QueueSeries::ready), 60'000, 5'000).size(), 10U);
    EXPECT_EQ(totals.latest(static_cast<std::size_t>(TotalSeries::queue_declared)), 1U);
    node.pass_ms(Recorder::forget_after_ms + 60'000);
    EXPECT_TRUE(recorder->of_queue(queue.queue).empty()) << "nobody looked for long";
    for (std::uint32_t id = 1'000; id < 2'000; ++id) recorder->of_queue(QueueId{id});
    EXPECT_TRUE(recorder->of_queue(QueueId{5'000}).empty());
    node.turn(0, [&] { recorder.reset(); });
  }
  EXPECT_TRUE(node.stop().has_value());
}

}  // namespace
}  // namespace weir::admin
