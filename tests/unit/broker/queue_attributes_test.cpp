// What a queue does with messages that expire, wait, have a priority or a group.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "broker/queue.h"

namespace weir::broker {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t epoch_ms = 1'700'000'000'000;

class QueueAttributes : public testing::Test {
 protected:
  void make(QueueOptions options = {}) {
    options.id = QueueId{1};
    options.alarms = &alarms;
    queue = std::make_unique<Queue>(std::move(options));
  }
  void push(const MessageAttributes& attributes, bool visible = true) {
    queue->push(queue->next_seq(), Entry(1, false), attributes);
    if (visible) queue->make_visible(queue->next_seq());
  }
  MessageAttributes expiring(std::uint64_t in_ms) { return {.expires_ms = epoch_ms + in_ms}; }
  MessageAttributes delayed(std::uint64_t by_ms) { return {.deliver_ms = epoch_ms + by_ms}; }
  // All that is due by then: which have expired.
  std::vector<std::uint64_t> due(std::uint64_t at_ms) {
    std::vector<std::uint64_t> gone;
    while (alarms.first() != nullptr && alarms.first()->at_ms() <= epoch_ms + at_ms) {
      std::vector<Seq> expired;
      queue->on_due(*alarms.first(), epoch_ms + at_ms, expired);
      for (const Seq seq : expired) {
        Entry entry;
        EXPECT_TRUE(queue->forget(seq, entry));
        gone.push_back(seq.value);
      }
    }
    return gone;
  }
  std::optional<std::uint64_t> take() {
    Queue::Head head;
    if (!queue->peek(head)) return std::nullopt;
    queue->deliver(head, nullptr);
    return head.seq.value;
  }
  std::vector<std::uint64_t> take_all() {
    std::vector<std::uint64_t> taken;
    while (const auto seq = take()) taken.push_back(*seq);
    return taken;
  }
  void settle(std::uint64_t seq) {
    Entry entry;
    EXPECT_TRUE(queue->remove(Seq{seq}, entry));
  }

  Alarms alarms;
  std::unique_ptr<Queue> queue;
};

}  // namespace

TEST_F(QueueAttributes, messages_expire_at_any_place_of_the_queue) {
  make();
  push({});
  push(expiring(50));
  push({});
  push(expiring(20));
  EXPECT_THAT(due(10), IsEmpty());
  EXPECT_THAT(due(20), ElementsAre(3));
  EXPECT_THAT(due(49), IsEmpty());
  EXPECT_THAT(due(50), ElementsAre(1));
  EXPECT_EQ(alarms.size(), 0U);
  EXPECT_THAT(take_all(), ElementsAre(0, 2));
}

TEST_F(QueueAttributes, what_is_out_does_not_expire_until_it_comes_back) {
  make();
  push(expiring(20));
  ASSERT_EQ(take(), 0U);
  EXPECT_THAT(due(30), IsEmpty());
  queue->put_back(Seq{0});
  EXPECT_THAT(due(30), ElementsAre(0));
  EXPECT_EQ(queue->total(), 0U);
}

TEST_F(QueueAttributes, what_is_not_visible_does_not_expire_yet) {
  make();
  push(expiring(5), false);
  EXPECT_THAT(due(10), IsEmpty());
  queue->make_visible(queue->next_seq());
  EXPECT_THAT(due(10), ElementsAre(0));
}

TEST_F(QueueAttributes, one_alarm_is_enough_for_a_chunk_of_messages) {
  make();
  for (std::uint64_t i = 0; i < 2 * chunk_entries; ++i) push(expiring(100 + i));
  EXPECT_EQ(alarms.size(), 2U);
  EXPECT_EQ(due(100 + chunk_entries - 1).size(), chunk_entries);
  EXPECT_EQ(alarms.size(), 1U);
}

TEST_F(QueueAttributes, a_delayed_message_is_not_there_until_its_time) {
  make();
  push(delayed(100));
  push({});
  EXPECT_EQ(queue->ready(), 1U);
  EXPECT_EQ(queue->held(), 1U);
  EXPECT_THAT(take_all(), ElementsAre(1));
  due(99);
  EXPECT_EQ(queue->ready(), 0U);
  due(100);
  EXPECT_EQ(queue->ready(), 1U);
  EXPECT_THAT(take_all(), ElementsAre(0));
  EXPECT_EQ(queue->held(), 0U);
}

TEST_F(QueueAttributes, a_purge_leaves_what_is_delayed) {
  make();
  push(delayed(100));
  push({});
  EXPECT_EQ(queue->purge([](Seq, const Entry&) {}), 1U);
  due(100);
  EXPECT_THAT(take_all(), ElementsAre(0));
}

TEST_F(QueueAttributes, the_highest_priority_goes_first_and_of_one_level_the_oldest) {
  QueueOptions options;
  options.prioritised = true;
  options.max_priority = 255;
  make(options);
  for (const int priority : {0, 5, 255, 5, 64, 63}) push({.priority = static_cast<std::uint8_t>(priority)});
  EXPECT_THAT(take_all(), ElementsAre(2, 4, 5, 1, 3, 0));
  for (const std::uint64_t seq : {0, 3, 1}) queue->put_back(Seq{seq});
  EXPECT_THAT(take_all(), ElementsAre(1, 3, 0));
}

TEST_F(QueueAttributes, what_expires_leaves_no_trace_among_priorities) {
  QueueOptions options;
  options.prioritised = true;
  options.max_priority = 9;
  make(options);
  push({.expires_ms = epoch_ms + 5, .priority = 9});
  push({.priority = 1});
  EXPECT_THAT(due(5), ElementsAre(0));
  EXPECT_THAT(take_all(), ElementsAre(1));
  EXPECT_EQ(queue->ready(), 0U);
}

TEST_F(QueueAttributes, of_a_group_one_message_is_out_at_a_time) {
  QueueOptions options;
  options.grouped = true;
  make(options);
  push({.group = 7});
  push({.group = 7});
  push({.group = 8});
  push({});
  push({.group = 7});
  EXPECT_THAT(take_all(), ElementsAre(0, 2, 3));
  settle(0);
  EXPECT_THAT(take_all(), ElementsAre(1));
  queue->put_back(Seq{1});
  EXPECT_THAT(take_all(), ElementsAre(1));
  settle(1);
  EXPECT_THAT(take_all(), ElementsAre(4));
  settle(4);
  settle(2);
  push({.group = 8});
  EXPECT_THAT(take_all(), ElementsAre(5));
}

TEST_F(QueueAttributes, a_group_goes_on_when_what_is_next_has_expired) {
  QueueOptions options;
  options.grouped = true;
  make(options);
  push({.group = 7});
  push({.expires_ms = epoch_ms + 5, .group = 7});
  push({.group = 7});
  EXPECT_THAT(take_all(), ElementsAre(0));
  EXPECT_THAT(due(5), ElementsAre(1));
  settle(0);
  EXPECT_THAT(take_all(), ElementsAre(2));
}

TEST_F(QueueAttributes, limits_count_what_is_ready_and_bodies_alone) {
  QueueOptions options;
  options.limited = true;
  options.max_messages = 3;
  options.max_bytes = 100;
  make(options);
  push({.body_bytes = 60});
  EXPECT_FALSE(queue->full(40));
  EXPECT_TRUE(queue->full(41));
  push({.body_bytes = 60}, false);
  EXPECT_TRUE(queue->full(0));
  EXPECT_FALSE(queue->overfull());
  queue->make_visible(queue->next_seq());
  EXPECT_TRUE(queue->overfull());
  ASSERT_EQ(take(), 0U);
  EXPECT_FALSE(queue->overfull());
  queue->put_back(Seq{0});
  EXPECT_EQ(queue->ready_bytes(), 120U);
  EXPECT_EQ(queue->purge([](Seq, const Entry&) {}), 2U);
  EXPECT_EQ(queue->ready_bytes(), 0U);
  for (int i = 0; i < 3; ++i) push({});
  EXPECT_TRUE(queue->full(0));
}

TEST_F(QueueAttributes, what_is_leaving_is_there_and_never_delivered) {
  make();
  push({});
  push({});
  ASSERT_EQ(take(), 0U);
  EXPECT_TRUE(queue->leave(Seq{0}, DeathReason::rejected));
  EXPECT_TRUE(queue->leave(Seq{1}, DeathReason::expired));
  EXPECT_EQ(queue->held(), 2U);
  EXPECT_EQ(queue->ready() + queue->out(), 0U);
  EXPECT_THAT(take_all(), IsEmpty());
  EXPECT_EQ(queue->attributes(Seq{1}).leaving, 2);
  Entry entry;
  EXPECT_TRUE(queue->forget(Seq{0}, entry));
  EXPECT_EQ(queue->held(), 1U);
}

// Against a plain list of what must be there.
TEST_F(QueueAttributes, counts_hold_whatever_happens) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Rng rng(seed);
    alarms.~Alarms();
    new (&alarms) Alarms();
    QueueOptions options;
    options.prioritised = rng.chance(1, 3);
    options.max_priority = 9;
    options.grouped = !options.prioritised && rng.chance(1, 2);
    options.max_bytes = 1'000'000;
    options.limited = true;
    make(options);
    std::vector<std::uint64_t> out;
    std::uint64_t now = 0;
    for (int step = 0; step < 2'000; ++step) {
      const std::uint64_t dice = rng.below(10);
      if (dice < 4) {
        MessageAttributes of;
        if (rng.chance(1, 3)) of.expires_ms = epoch_ms + now + rng.below(300);
        if (rng.chance(1, 6)) of.deliver_ms = epoch_ms + now + rng.below(300);
        if (options.prioritised) of.priority = static_cast<std::uint8_t>(rng.below(10));
        if (options.grouped) of.group = rng.below(4);
        of.body_bytes = static_cast<std::uint32_t>(rng.below(50));
        push(of, rng.chance(1, 2));
      } else if (dice < 6) {
        if (const auto seq = take()) out.push_back(*seq);
      } else if (dice < 8 && !out.empty()) {
        const std::size_t at = rng.below(out.size());
        if (rng.chance(1, 3)) {
          queue->put_back(Seq{out[at]});
        } else {
          settle(out[at]);
        }
        out.erase(out.begin() + static_cast<std::ptrdiff_t>(at));
      } else if (dice < 9) {
        now += rng.below(50);
        due(now);
      } else {
        queue->make_visible(queue->next_seq());
      }
      std::uint64_t ready = 0, held = 0, outs = 0, bytes = 0;
      queue->for_each([&](Seq seq, const Entry& entry) {
        ready += entry.state() == EntryState::ready ? 1 : 0;
        held += entry.state() == EntryState::held ? 1 : 0;
        outs += entry.state() == EntryState::out ? 1 : 0;
        bytes += entry.state() == EntryState::ready ? queue->attributes(seq).body_bytes : 0;
      });
      ASSERT_EQ(ready + held, queue->ready() + queue->held() + queue->held_back());
      ASSERT_EQ(outs, queue->out());
      if (queue->held_back() == 0) ASSERT_EQ(bytes, queue->ready_bytes());
    }
    queue->make_visible(queue->next_seq());
    due(10'000);
    for (const std::uint64_t seq : out) settle(seq);
    while (const auto seq = take()) settle(*seq);
    EXPECT_EQ(queue->total(), 0U) << seed;
    EXPECT_EQ(queue->ready_bytes(), 0U);
    queue.reset();
  }
}

}  // namespace weir::broker
