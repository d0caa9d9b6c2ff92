// Queues that keep last values, that are fair, that have one active consumer, that prefer consumers.
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

class QueueOrders : public testing::Test {
 protected:
  void make(QueueOptions options) {
    options.id = QueueId{1};
    options.alarms = &alarms;
    queue = std::make_unique<Queue>(std::move(options));
  }
  // Messages of these keys, in order.
  void push(const std::vector<std::uint64_t>& keys, bool visible = true) {
    for (const std::uint64_t key : keys)
      queue->push(queue->next_seq(), Entry(1, false), MessageAttributes{.group = key});
    if (visible) queue->make_visible(queue->next_seq());
  }
  std::vector<std::uint64_t> superseded() {
    std::vector<std::uint64_t> gone;
    queue->take_superseded([&](Seq seq, const Entry&) { gone.push_back(seq.value); });
    return gone;
  }
  Consumer& consumer(std::uint32_t number, std::int32_t priority = 0, std::uint32_t prefetch = 0) {
    auto made = std::make_unique<Consumer>();
    made->number = number;
    made->priority = priority;
    made->prefetch = prefetch;
    made->window = &window;
    queue->attach(*made);
    consumers.push_back(std::move(made));
    return *consumers.back();
  }
  // Who gets the next message; 0: nobody.
  std::uint32_t deliver() {
    Queue::Head head;
    if (!queue->peek(head)) return 0;
    Consumer* const next = queue->next_consumer();
    if (next == nullptr) return 0;
    queue->deliver(head, next);
    last = head.seq;
    return next->number;
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
  DeliveryWindow window;
  std::vector<std::unique_ptr<Consumer>> consumers;
  Seq last;
};

QueueOptions last_values() {
  QueueOptions options;
  options.last_value = true;
  return options;
}
QueueOptions fair() {
  QueueOptions options;
  options.fair = true;
  return options;
}
QueueOptions single_active() {
  QueueOptions options;
  options.single_active = true;
  return options;
}

}  // namespace

// --- last values ---

TEST_F(QueueOrders, a_new_value_replaces_the_one_that_waits_and_stands_at_the_end) {
  make(last_values());
  push({7, 8, 7, 0, 0});
  EXPECT_THAT(superseded(), ElementsAre(0));
  EXPECT_THAT(take_all(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(queue->ready(), 0U);
}

TEST_F(QueueOrders, a_value_is_replaced_when_the_new_one_may_be_delivered) {
  make(last_values());
  push({7});
  push({7}, false);
  EXPECT_THAT(superseded(), IsEmpty());
  EXPECT_EQ(queue->ready(), 1U);
  queue->make_visible(queue->next_seq());
  EXPECT_THAT(superseded(), ElementsAre(0));
  EXPECT_EQ(queue->ready(), 1U);
}

TEST_F(QueueOrders, a_value_that_is_out_stays_out_and_is_replaced_when_it_comes_back) {
  make(last_values());
  push({7});
  EXPECT_EQ(take(), 0U);
  push({7});
  EXPECT_THAT(superseded(), IsEmpty());
  EXPECT_TRUE(queue->put_back(Seq{0}));
  EXPECT_THAT(superseded(), ElementsAre(0));
  EXPECT_THAT(take_all(), ElementsAre(1));
}

TEST_F(QueueOrders, a_value_that_comes_back_after_a_newer_one_was_taken_is_out_of_date) {
  make(last_values());
  push({7});
  EXPECT_EQ(take(), 0U);
  push({7});
  EXPECT_EQ(take(), 1U);
  settle(1);
  EXPECT_TRUE(queue->put_back(Seq{0}));
  EXPECT_THAT(superseded(), ElementsAre(0));
  push({7});
  EXPECT_THAT(take_all(), ElementsAre(2));
  EXPECT_TRUE(queue->put_back(Seq{2}));
  EXPECT_THAT(superseded(), IsEmpty());
}

TEST_F(QueueOrders, values_are_right_whatever_happens) {
  Rng rng(3);
  make(last_values());
  std::vector<std::uint64_t> out;
  std::vector<std::uint64_t> key_of;
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t dice = rng.below(5);
    if (dice < 2) {
      key_of.push_back(1 + rng.below(20));
      push({key_of.back()}, rng.chance(2, 3));
    } else if (dice < 3) {
      if (const auto seq = take()) out.push_back(*seq);
    } else if (!out.empty()) {
      const std::size_t at = rng.below(out.size());
      const std::uint64_t seq = out[at];
      out.erase(out.begin() + static_cast<std::ptrdiff_t>(at));
      if (dice < 4) {
        settle(seq);
      } else {
        EXPECT_TRUE(queue->put_back(Seq{seq}));
      }
    }
    for (const std::uint64_t seq : superseded()) {
      bool newer = false;
      for (std::uint64_t later = seq + 1; later < key_of.size(); ++later)
        newer = newer || key_of[later] == key_of[seq];
      ASSERT_TRUE(newer) << seq;
    }
    std::vector<unsigned> ready(21);
    queue->visit(Seq{0}, queue->next_seq(), SIZE_MAX, [&](Seq seq, const Entry& entry) {
      if (entry.state() == EntryState::ready) ++ready[key_of[seq.value]];
    });
    if (!queue->all_visible()) continue;
    for (const unsigned count : ready) ASSERT_LE(count, 1U);
  }
}

// --- fairness ---

TEST_F(QueueOrders, the_values_of_the_header_take_turns) {
  make(fair());
  push({1, 1, 1, 1, 2, 3, 3});
  EXPECT_THAT(take_all(), ElementsAre(0, 4, 5, 1, 6, 2, 3));
}

TEST_F(QueueOrders, what_comes_back_is_the_next_of_its_value) {
  make(fair());
  push({1, 1, 2, 2});
  EXPECT_EQ(take(), 0U);
  EXPECT_EQ(take(), 2U);
  EXPECT_TRUE(queue->put_back(Seq{0}));
  EXPECT_EQ(take(), 0U);
  EXPECT_EQ(take(), 3U);
  EXPECT_EQ(take(), 1U);
}

TEST_F(QueueOrders, what_went_another_way_takes_nobody_s_turn) {
  make(fair());
  push({1, 1, 2, 2});
  Entry gone;
  EXPECT_TRUE(queue->forget(Seq{0}, gone));
  EXPECT_THAT(take_all(), ElementsAre(1, 2, 3));
  push({5, 6});
  EXPECT_EQ(queue->purge([](Seq, const Entry&) {}), 2U);
  push({6, 6, 7});
  EXPECT_THAT(take_all(), ElementsAre(6, 8, 7));
}

// --- consumers ---

TEST_F(QueueOrders, of_consumers_the_first_is_active_until_it_goes) {
  make(single_active());
  push({0, 0, 0, 0});
  Consumer& first = consumer(1);
  Consumer& second = consumer(2);
  consumer(3);
  EXPECT_EQ(queue->active_consumer(), &first);
  EXPECT_EQ(deliver(), 1U);
  EXPECT_EQ(deliver(), 1U);
  queue->detach(second);
  queue->detach(first);
  EXPECT_EQ(deliver(), 3U);
}

TEST_F(QueueOrders, the_next_one_waits_for_what_the_lost_one_had) {
  make(single_active());
  push({0, 0, 0});
  Consumer& first = consumer(1);
  consumer(2);
  EXPECT_EQ(deliver(), 1U);
  EXPECT_EQ(deliver(), 1U);
  queue->lose(first);
  EXPECT_EQ(deliver(), 0U);
  EXPECT_TRUE(queue->put_back(Seq{1}));
  queue->settled_of_lost(SessionId{}, 1, 1);
  EXPECT_EQ(deliver(), 0U);
  queue->settled_of_lost(SessionId{}, 2, 1);
  EXPECT_EQ(deliver(), 0U) << "another's";
  EXPECT_TRUE(queue->put_back(Seq{0}));
  queue->settled_of_lost(SessionId{}, 1, 1);
  for (const std::uint64_t seq : {0U, 1U, 2U}) {
    EXPECT_EQ(deliver(), 2U);
    EXPECT_EQ(last.value, seq);
  }
}

TEST_F(QueueOrders, an_active_consumer_that_can_t_take_is_still_the_active_one) {
  make(single_active());
  push({0, 0});
  consumer(1, 0, 1);
  consumer(2);
  EXPECT_EQ(deliver(), 1U);
  EXPECT_EQ(deliver(), 0U);
}

TEST_F(QueueOrders, a_consumer_of_higher_priority_comes_first_while_it_can_take) {
  make({});
  push({0, 0, 0, 0, 0, 0, 0});
  consumer(1);
  Consumer& urgent = consumer(2, 10, 2);
  consumer(3);
  consumer(4, -5);
  EXPECT_EQ(deliver(), 2U);
  EXPECT_EQ(deliver(), 2U);
  EXPECT_EQ(deliver(), 1U);
  EXPECT_EQ(deliver(), 3U);
  EXPECT_EQ(deliver(), 1U);
  settle(0);
  --urgent.unacked;
  queue->reconsider(urgent);
  EXPECT_EQ(deliver(), 2U);
  EXPECT_EQ(deliver(), 3U);
}

TEST_F(QueueOrders, equals_take_turns) {
  make({});
  push({0, 0, 0, 0, 0});
  consumer(1, 3);
  consumer(2, 3);
  consumer(3, 1);
  EXPECT_EQ(deliver(), 1U);
  EXPECT_EQ(deliver(), 2U);
  EXPECT_EQ(deliver(), 1U);
  EXPECT_EQ(deliver(), 2U);
}

}  // namespace weir::broker
