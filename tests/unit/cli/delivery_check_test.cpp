#include "cli/delivery_check.h"

#include <gtest/gtest.h>

#include <array>

namespace weir::cli {
namespace {

constexpr std::uint64_t this_run = 77;

class DeliveryCheckTest : public testing::Test {
 protected:
  void set_up(std::uint32_t producers, std::uint32_t queues, std::uint32_t size_bytes,
              std::uint32_t fanout = 0) {
    BenchOptions options;
    options.producers = producers;
    options.queues = queues;
    options.fanout = fanout;
    Result<BenchPlan> plan = make_plan(options);
    ASSERT_TRUE(plan);
    plan_ = std::move(*plan);
    size_bytes_ = size_bytes;
    trackers_ = std::vector<TrackedLane>(plan_.tracker_count());
  }
  DeliveryCheck consumer() { return {plan_, plan_.queues.size(), this_run, size_bytes_, trackers_, tally_}; }
  std::uint64_t deliver(DeliveryCheck& to, std::uint32_t queue, std::uint32_t lane, std::uint64_t seq,
                        std::uint64_t run = this_run) {
    std::array<std::byte, stamp_bytes> body{};
    write_stamp(body.data(), size_bytes_, {.lane = lane, .seq = seq, .sent_ns = 1000 + seq, .run = run});
    return to.take(queue, body.data(), false);
  }

  BenchPlan plan_;
  std::uint32_t size_bytes_ = 0;
  std::vector<TrackedLane> trackers_;
  BenchTally tally_;
};

TEST_F(DeliveryCheckTest, a_faultless_run_has_no_faults_and_tells_send_times) {
  set_up(2, 2, 1024);
  DeliveryCheck consumer = this->consumer();
  for (std::uint64_t seq = 0; seq < 100; ++seq) {
    EXPECT_EQ(deliver(consumer, 0, 0, seq), 1000 + seq);
    EXPECT_EQ(deliver(consumer, 1, 1, seq), 1000 + seq);
  }
  EXPECT_EQ(tally_.faults(), 0U);
  EXPECT_EQ(trackers_[0].seen.missing(100), 0U);
}

TEST_F(DeliveryCheckTest, a_message_that_comes_twice_is_a_duplicate) {
  set_up(1, 1, 1024);
  DeliveryCheck consumer = this->consumer();
  deliver(consumer, 0, 0, 0);
  deliver(consumer, 0, 0, 1);
  deliver(consumer, 0, 0, 0);
  EXPECT_EQ(tally_.duplicates, 1U);
  EXPECT_EQ(tally_.reordered, 0U);
}

TEST_F(DeliveryCheckTest, two_consumers_of_a_queue_find_a_duplicate_between_them) {
  set_up(1, 1, 1024);
  DeliveryCheck first = consumer();
  DeliveryCheck second = consumer();
  deliver(first, 0, 0, 0);
  deliver(second, 0, 0, 1);
  deliver(first, 0, 0, 2);
  EXPECT_EQ(tally_.faults(), 0U);
  deliver(second, 0, 0, 2);
  EXPECT_EQ(tally_.duplicates, 1U);
}

TEST_F(DeliveryCheckTest, an_older_message_after_a_newer_one_at_the_same_consumer_is_out_of_order) {
  set_up(1, 1, 1024);
  DeliveryCheck consumer = this->consumer();
  for (const std::uint64_t seq : {0, 2, 1, 3}) deliver(consumer, 0, 0, seq);
  EXPECT_EQ(tally_.reordered, 1U);
  EXPECT_EQ(tally_.duplicates, 0U);
  EXPECT_EQ(trackers_[0].seen.missing(4), 0U);
}

TEST_F(DeliveryCheckTest, a_later_message_at_another_consumer_is_not_out_of_order) {
  set_up(1, 1, 1024);
  DeliveryCheck first = consumer();
  DeliveryCheck second = consumer();
  for (const std::uint64_t seq : {1, 3, 5}) deliver(first, 0, 0, seq);
  for (const std::uint64_t seq : {0, 2, 4}) deliver(second, 0, 0, seq);
  EXPECT_EQ(tally_.faults(), 0U);
}

TEST_F(DeliveryCheckTest, what_never_came_is_missing_from_its_tracker) {
  set_up(1, 1, 1024);
  DeliveryCheck consumer = this->consumer();
  for (const std::uint64_t seq : {0, 1, 4}) deliver(consumer, 0, 0, seq);
  EXPECT_EQ(tally_.faults(), 0U);
  EXPECT_EQ(trackers_[0].seen.missing(6), 3U);
}

TEST_F(DeliveryCheckTest, a_message_in_another_queue_than_its_own_is_misrouted) {
  set_up(2, 2, 1024);
  DeliveryCheck consumer = this->consumer();
  deliver(consumer, 1, 0, 0);
  EXPECT_EQ(tally_.misrouted, 1U);
}

TEST_F(DeliveryCheckTest, a_message_of_another_run_or_of_no_lane_is_foreign) {
  set_up(1, 1, 1024);
  DeliveryCheck consumer = this->consumer();
  deliver(consumer, 0, 0, 0, this_run + 1);
  deliver(consumer, 0, 5, 0);
  EXPECT_EQ(tally_.foreign, 2U);
}

TEST_F(DeliveryCheckTest, without_a_run_of_its_own_it_takes_the_run_of_the_first_message) {
  set_up(1, 1, 1024);
  DeliveryCheck consumer(plan_, 1, 0, size_bytes_, trackers_, tally_);
  for (std::uint64_t seq = 0; seq < 3; ++seq) deliver(consumer, 0, 0, seq, 5);
  EXPECT_EQ(tally_.faults(), 0U);
  deliver(consumer, 0, 0, 3, 6);
  EXPECT_EQ(tally_.foreign, 1U);
}

TEST_F(DeliveryCheckTest, with_a_fanout_every_queue_gets_its_own_copy) {
  set_up(1, 1, 1024, 3);
  DeliveryCheck consumer = this->consumer();
  for (std::uint32_t queue = 0; queue < 3; ++queue) deliver(consumer, queue, 0, 0);
  EXPECT_EQ(tally_.faults(), 0U);
  deliver(consumer, 1, 0, 0);
  EXPECT_EQ(tally_.duplicates, 1U);
}

TEST_F(DeliveryCheckTest, a_consumer_of_one_of_many_queues_knows_the_order_of_each_lane) {
  set_up(2, 1, 1024, 3);
  DeliveryCheck consumer(plan_, 1, this_run, size_bytes_, trackers_, tally_);
  for (std::uint64_t seq = 0; seq < 3; ++seq) deliver(consumer, 2, seq % 2, seq / 2);
  EXPECT_EQ(tally_.faults(), 0U);
  deliver(consumer, 2, 1, 5);
  deliver(consumer, 2, 1, 4);
  EXPECT_EQ(tally_.reordered, 1U);
}

TEST_F(DeliveryCheckTest, bodies_of_two_bytes_still_show_a_duplicate_and_a_gap) {
  set_up(1, 1, 2);
  DeliveryCheck consumer = this->consumer();
  for (std::uint64_t seq = 0; seq < 100'000; ++seq) {
    if (seq != 500) deliver(consumer, 0, 0, seq);
  }
  EXPECT_EQ(tally_.faults(), 0U);
  EXPECT_EQ(trackers_[0].seen.missing(100'000), 1U);
  deliver(consumer, 0, 0, 99'999);
  EXPECT_EQ(tally_.duplicates, 1U);
}

}  // namespace
}  // namespace weir::cli
