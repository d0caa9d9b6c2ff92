// How numbers were: what is kept, at which resolution, and for how long.
#include "admin/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "admin/histories.h"
#include "admin/recorder.h"
#include "base/meter.h"
#include "runtime/sim/sim_disk.h"
#include "support/sim_node.h"
#include "support/test_session.h"

namespace weir::admin {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t start_ms = 1'700'000'000'000;
constexpr std::uint64_t minute_ms = 60'000, hour_ms = 60 * minute_ms;

// One number that grows by 10 a second.
History grown_for(std::uint64_t ms) {
  History history(1);
  for (std::uint64_t at = 0; at <= ms; at += history_interval_ms) {
    const std::uint64_t value = at / 100 + 1;
    history.add(start_ms + at, std::span(&value, 1));
  }
  return history;
}

std::vector<std::uint64_t> samples(const History& history, const SampleRange& range, std::size_t series = 0) {
  std::vector<std::uint64_t> values(range.count());
  history.add_samples(series, range, values);
  return values;
}

void add(History& history, std::uint64_t at_ms, std::uint64_t value) {
  history.add(at_ms, std::span(&value, 1));
}

TEST(History, nothing_is_known_at_first) {
  const History history(2);
  EXPECT_TRUE(history.empty());
  EXPECT_EQ(history.rate(1, start_ms), 0);
  EXPECT_EQ(history.latest(1), 0U);
  EXPECT_THAT(samples(history, {start_ms, 10'000, 5'000}, 1), ElementsAre(0, 0, 0));
}

TEST(History, samples_come_newest_first_and_as_far_apart_as_was_asked) {
  const History history = grown_for(hour_ms);
  const auto values = samples(history, {start_ms + hour_ms, 60'000, 10'000});
  ASSERT_EQ(values.size(), 7U);
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], (hour_ms - i * 10'000) / 100 + 1);
  EXPECT_DOUBLE_EQ(history.rate(0, start_ms + hour_ms), 10);
}

TEST(History, before_the_first_of_all_it_was_nothing) {
  History history(1);
  add(history, start_ms, 7);
  add(history, start_ms + 5'000, 9);
  EXPECT_THAT(samples(history, {start_ms + 10'000, 15'000, 5'000}), ElementsAre(9, 9, 7, 0));
  EXPECT_THAT(samples(history, {5'000, 10'000, 5'000}), ElementsAre(0, 0, 0));
}

TEST(History, what_stays_as_it_was_takes_no_room_and_is_known_at_any_later_moment) {
  History history(1);
  for (std::uint64_t at = 0; at < hour_ms; at += history_interval_ms) add(history, start_ms + at, 5);
  History once(1);
  add(once, start_ms, 5);
  EXPECT_EQ(history.memory_bytes(), once.memory_bytes());
  EXPECT_THAT(samples(history, {start_ms + 3 * hour_ms, 2 * hour_ms, hour_ms}), ElementsAre(5, 5, 5));
  EXPECT_EQ(history.rate(0, start_ms + hour_ms), 0);
  add(history, start_ms + hour_ms, 15);
  EXPECT_EQ(history.rate(0, start_ms + hour_ms), 2) << "ten more in the last five seconds";
}

TEST(History, an_hour_and_a_day_are_told_in_larger_steps) {
  const History history = grown_for(30 * hour_ms);
  const std::uint64_t now_ms = start_ms + 30 * hour_ms;
  const auto hour = samples(history, {now_ms, hour_ms, minute_ms});
  EXPECT_NEAR(static_cast<double>(hour.front() - hour.back()), hour_ms / 100.0, 600);
  const auto day = samples(history, {now_ms, 24 * hour_ms, hour_ms});
  EXPECT_EQ(day.size(), 25U);
  EXPECT_NEAR(static_cast<double>(day.front() - day.back()), 24 * hour_ms / 100.0, 20'000);
}

TEST(History, its_size_does_not_grow_with_time) {
  EXPECT_EQ(grown_for(30 * hour_ms).memory_bytes(), grown_for(60 * hour_ms).memory_bytes());
  EXPECT_LE(grown_for(60 * hour_ms).memory_bytes(), History::memory_bytes_max(1));
}

TEST(History, a_clock_that_was_set_back_loses_samples_and_nothing_else) {
  History history = grown_for(60'000);
  add(history, start_ms, 1);
  EXPECT_EQ(history.latest(0), 601U);
}

TEST(Histories, those_that_have_not_moved_for_long_go_when_there_is_no_more_room) {
  Histories<int> all(1, 100'000);
  std::uint64_t at_ms = start_ms;
  for (int i = 0; i < 5'000; ++i) {
    const std::uint64_t value = 1;
    all.add(i, ++at_ms, std::span(&value, 1));
    EXPECT_LE(all.memory_bytes(), 100'000U);
  }
  EXPECT_EQ(all.find(0), nullptr);
  EXPECT_NE(all.find(4'999), nullptr);
  EXPECT_GT(all.count(), 50U);
}

TEST(Histories, what_somebody_reads_does_not_change) {
  Histories<std::string> all(1, 1U << 20);
  std::uint64_t value = 1;
  all.add("a", start_ms, std::span(&value, 1));
  const auto read = all.find("a");
  value = 2;
  all.add("a", start_ms + 5'000, std::span(&value, 1));
  EXPECT_EQ(read->latest(0), 1U);
  EXPECT_EQ(all.find("a")->latest(0), 2U);
}

TEST(Histories, a_round_of_looks_drops_what_is_gone) {
  Histories<int> all(1, 1U << 20);
  const std::uint64_t value = 1;
  for (int i = 0; i < 10; ++i) all.add(i, start_ms, std::span(&value, 1));
  for (int i = 0; i < 4; ++i) all.sweep(3, [](int key) { return key % 2 == 0; });
  EXPECT_EQ(all.count(), 5U);
  EXPECT_EQ(all.find(2), nullptr);
  for (int i = 0; i < 8; ++i) all.sweep(3, [](int) { return true; });
  EXPECT_EQ(all.memory_bytes(), 0U);
}

constexpr auto place = [](auto series) { return static_cast<std::size_t>(series); };

TEST(Recorder, the_node_and_what_moves_in_it_are_recorded) {
  runtime::SimStorage machine(3);
  node::SimNodeOptions options;
  options.shards = 2;
  options.sample_ms = meter_interval_ms;
  node::SimNode node(machine, options);
  ASSERT_TRUE(node.start().has_value());
  {
    node::TestSession client(node);
    const node::QueueStatus moving = client.declare("moving"), still = client.declare("still");
    std::unique_ptr<Recorder> recorder;
    node.turn(0, [&] {
      recorder = std::make_unique<Recorder>(
          Recorder::Surroundings{node.shard(0),
                                 [](const std::function<void()>& work, const std::function<void()>& done) {
                                   work();
                                   done();
                                   return true;
                                 },
                                 [] { return SeriesNumbers<NodeSeries>{1, 2, 3, 4, 5, 6}; }});
    });
    for (int i = 0; i < 12; ++i) {
      client.publish_to("moving", std::vector<std::string>(50, "x"));
      node.pass_ms(5'000);
    }
    const History& totals = recorder->totals();
    const std::uint64_t now_ms = totals.latest_ms();
    EXPECT_NEAR(totals.rate(place(TotalSeries::publish), now_ms), 10, 2);
    EXPECT_NEAR(totals.rate(place(TotalSeries::messages), now_ms), 10, 2);
    EXPECT_EQ(totals.latest(place(TotalSeries::queue_declared)), 2U);
    EXPECT_EQ(recorder->of_node().latest(place(NodeSeries::disk_free)), 5U);
    const auto of_queue = recorder->of_queue(moving.queue);
    ASSERT_NE(of_queue, nullptr);
    EXPECT_NEAR(of_queue->rate(place(QueueSeries::publish), now_ms), 10, 2);
    const auto ready = samples(*of_queue, {now_ms, 40'000, 10'000}, place(QueueSeries::ready));
    EXPECT_GT(ready.front(), ready.back() + 200);
    EXPECT_EQ(recorder->of_queue(still.queue), nullptr) << "nothing happened to it";
    const auto of_vhost = recorder->of_vhost("/");
    ASSERT_NE(of_vhost, nullptr);
    EXPECT_GE(of_vhost->latest(place(QueueSeries::messages)), 500U);
    ASSERT_NE(recorder->of_exchange({"/", ""}), nullptr);
    const std::size_t bytes = recorder->memory_bytes();
    node.pass_ms(120'000);
    const std::size_t then = recorder->memory_bytes();
    node.pass_ms(600'000);
    EXPECT_EQ(recorder->memory_bytes(), then) << "nothing happens: nothing is kept";
    EXPECT_LT(then, 2 * bytes);
    client.ask([](node::Session& broker) { broker.delete_queue("moving", false, false); });
    node.pass_ms(20'000);
    EXPECT_EQ(recorder->of_queue(moving.queue), nullptr);
    node.turn(0, [&] { recorder.reset(); });
  }
  EXPECT_TRUE(node.stop().has_value());
}

}  // namespace
}  // namespace weir::admin
