#include "broker/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/rng.h"

namespace weir::broker {

namespace {

using testing::ElementsAre;

QueueOptions options() {
  QueueOptions options;
  options.id = QueueId{9};
  options.name = "q";
  options.vhost = "/";
  return options;
}

// A queue with consumers that have all they need.
class QueueTest : public testing::Test {
 protected:
  void push(std::uint64_t count) {
    for (; count > 0; --count) queue.push(queue.next_seq(), Entry(1, false));
    queue.make_visible(queue.next_seq());
  }
  Consumer& consumer(std::uint32_t number, std::uint32_t prefetch = 0) {
    auto made = std::make_unique<Consumer>();
    made->number = number;
    made->prefetch = prefetch;
    made->window = &window;
    queue.attach(*made);
    consumers.push_back(std::move(made));
    return *consumers.back();
  }
  // Delivers the head to whose turn it is; the seq, or nothing.
  std::optional<std::uint64_t> deliver(std::uint32_t* to = nullptr) {
    Queue::Head head;
    if (!queue.peek(head)) return std::nullopt;
    Consumer* const next = queue.next_consumer();
    if (next == nullptr) return std::nullopt;
    queue.deliver(head, next);
    if (to != nullptr) *to = next->number;
    return head.seq.value;
  }
  std::optional<std::uint64_t> take() {
    Queue::Head head;
    if (!queue.peek(head)) return std::nullopt;
    queue.deliver(head, nullptr);
    return head.seq.value;
  }
  std::vector<std::uint64_t> take_all() {
    std::vector<std::uint64_t> taken;
    while (const auto seq = take()) taken.push_back(*seq);
    return taken;
  }
  void settle(Consumer& by, std::uint64_t seq) {
    Entry entry;
    ASSERT_TRUE(queue.remove(Seq{seq}, entry));
    --by.unacked;
    queue.reconsider(by);
  }

  Queue queue{options()};
  DeliveryWindow window;
  std::vector<std::unique_ptr<Consumer>> consumers;
};

}  // namespace

TEST_F(QueueTest, gives_messages_in_the_order_in_which_they_came) {
  push(3);
  EXPECT_THAT(take_all(), ElementsAre(0, 1, 2));
  EXPECT_EQ(queue.ready(), 0U);
  EXPECT_EQ(queue.out(), 3U);
}

TEST_F(QueueTest, gives_nothing_that_is_not_visible_yet) {
  queue.push(Seq{0}, Entry(1, false));
  queue.push(Seq{1}, Entry(1, false));
  EXPECT_FALSE(take());
  EXPECT_EQ(queue.held_back(), 2U);
  queue.make_visible(Seq{1});
  EXPECT_EQ(queue.ready(), 1U);
  EXPECT_THAT(take_all(), ElementsAre(0));
  queue.make_visible(Seq{2});
  EXPECT_THAT(take_all(), ElementsAre(1));
}

TEST_F(QueueTest, becoming_visible_up_to_an_older_end_changes_nothing) {
  push(2);
  queue.make_visible(Seq{1});
  EXPECT_EQ(queue.ready(), 2U);
}

TEST_F(QueueTest, puts_a_message_back_to_its_place_and_marks_it) {
  push(4);
  take();
  take();
  take();
  ASSERT_TRUE(queue.put_back(Seq{1}));
  Queue::Head head;
  ASSERT_TRUE(queue.peek(head));
  EXPECT_EQ(head.seq, Seq{1});
  EXPECT_TRUE(head.entry.redelivered());
  EXPECT_THAT(take_all(), ElementsAre(1, 3));
}

TEST_F(QueueTest, gives_what_was_put_back_in_any_order_in_the_order_of_its_places) {
  push(6);
  take_all();
  for (const std::uint64_t seq : {4U, 0U, 5U, 2U}) ASSERT_TRUE(queue.put_back(Seq{seq}));
  EXPECT_THAT(take_all(), ElementsAre(0, 2, 4, 5));
}

TEST_F(QueueTest, what_was_put_back_comes_before_what_is_new) {
  push(2);
  take_all();
  push(1);
  ASSERT_TRUE(queue.put_back(Seq{0}));
  EXPECT_THAT(take_all(), ElementsAre(0, 2));
}

TEST_F(QueueTest, settles_a_message_once) {
  push(1);
  Entry entry;
  EXPECT_FALSE(queue.remove(Seq{0}, entry)) << "it is not out";
  EXPECT_FALSE(queue.put_back(Seq{0}));
  take();
  EXPECT_TRUE(queue.remove(Seq{0}, entry));
  EXPECT_FALSE(queue.remove(Seq{0}, entry));
  EXPECT_FALSE(queue.put_back(Seq{0}));
  EXPECT_EQ(queue.total(), 0U);
}

TEST_F(QueueTest, purges_what_is_ready_and_leaves_what_is_out_or_not_visible) {
  push(5);
  take();
  queue.push(queue.next_seq(), Entry(1, false));
  std::vector<std::uint64_t> purged;
  EXPECT_EQ(queue.purge([&](Seq seq, const Entry&) { purged.push_back(seq.value); }), 4U);
  EXPECT_THAT(purged, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(queue.ready(), 0U);
  EXPECT_EQ(queue.out(), 1U);
  EXPECT_EQ(queue.held_back(), 1U);
  ASSERT_TRUE(queue.put_back(Seq{0}));
  queue.make_visible(queue.next_seq());
  EXPECT_THAT(take_all(), ElementsAre(0, 5));
}

TEST_F(QueueTest, forgets_a_message_in_any_state_in_replay) {
  push(2);
  take();
  queue.push(Seq{2}, Entry(5, false));
  Entry entry;
  EXPECT_TRUE(queue.forget(Seq{0}, entry));
  EXPECT_TRUE(queue.forget(Seq{1}, entry));
  EXPECT_TRUE(queue.forget(Seq{2}, entry));
  EXPECT_EQ(entry.reference(), 5U);
  EXPECT_FALSE(queue.forget(Seq{2}, entry));
  EXPECT_EQ(queue.ready() + queue.out() + queue.held_back(), 0U);
}

TEST_F(QueueTest, goes_on_with_messages_after_a_gap) {
  push(1);
  queue.skip_to(Seq{1U << 20});
  EXPECT_TRUE(queue.all_visible());
  push(1);
  EXPECT_THAT(take_all(), ElementsAre(0, 1U << 20));
}

TEST_F(QueueTest, serves_consumers_in_turn) {
  consumer(1);
  consumer(2);
  consumer(3);
  push(6);
  std::vector<std::uint32_t> order(6);
  for (std::uint32_t& to : order) ASSERT_TRUE(deliver(&to));
  EXPECT_THAT(order, ElementsAre(1, 2, 3, 1, 2, 3));
}

TEST_F(QueueTest, a_consumer_takes_no_more_than_its_prefetch_until_it_settles) {
  Consumer& only = consumer(1, 2);
  push(4);
  EXPECT_EQ(deliver(), 0U);
  EXPECT_EQ(deliver(), 1U);
  EXPECT_FALSE(deliver());
  settle(only, 1);
  EXPECT_EQ(deliver(), 2U);
  EXPECT_FALSE(deliver());
}

TEST_F(QueueTest, a_full_consumer_does_not_keep_the_others_waiting) {
  consumer(1, 1);
  consumer(2);
  push(5);
  std::vector<std::uint32_t> order(5);
  for (std::uint32_t& to : order) ASSERT_TRUE(deliver(&to));
  EXPECT_THAT(order, ElementsAre(1, 2, 2, 2, 2));
}

TEST_F(QueueTest, a_closed_window_stops_all_consumers_of_its_session) {
  Consumer& first = consumer(1);
  consumer(2);
  push(3);
  window.messages = limits::delivery_window_messages;
  EXPECT_FALSE(deliver());
  window.messages = 0;
  EXPECT_FALSE(deliver()) << "nobody said that it is open again";
  queue.reconsider(first);
  EXPECT_EQ(deliver(), 0U);
}

TEST_F(QueueTest, a_consumer_that_left_gets_nothing_and_leaves_what_it_has_out) {
  Consumer& first = consumer(1);
  consumer(2);
  push(4);
  deliver();
  queue.detach(first);
  std::uint32_t to = 0;
  ASSERT_TRUE(deliver(&to));
  EXPECT_EQ(to, 2U);
  ASSERT_TRUE(deliver(&to));
  EXPECT_EQ(to, 2U);
  EXPECT_EQ(queue.out(), 3U);
}

TEST_F(QueueTest, knows_of_an_exclusive_consumer) {
  EXPECT_FALSE(queue.has_exclusive_consumer());
  Consumer& only = consumer(1);
  only.exclusive = true;
  EXPECT_TRUE(queue.has_exclusive_consumer());
  queue.detach(only);
  EXPECT_FALSE(queue.has_exclusive_consumer());
  EXPECT_TRUE(queue.had_consumer());
}

TEST(AddToRuns, joins_seqs_that_follow_each_other) {
  std::vector<std::pair<Seq, std::uint32_t>> runs;
  for (const std::uint64_t seq : {5U, 6U, 7U, 9U, 8U, 10U}) add_to_runs(runs, Seq{seq});
  EXPECT_THAT(runs, ElementsAre(std::pair(Seq{5}, 3U), std::pair(Seq{9}, 1U), std::pair(Seq{8}, 1U),
                                std::pair(Seq{10}, 1U)));
}

namespace {

// A queue as anybody would write it: a map of messages, and the first ready one goes.
struct ModelQueue {
  enum class State { ready, out };
  struct Message {
    State state = State::ready;
    bool redelivered = false;
  };
  std::map<std::uint64_t, Message> messages;
  std::uint64_t end = 0, visible = 0;

  std::map<std::uint64_t, Message>::iterator head() {
    return std::find_if(messages.begin(), messages.end(), [&](const auto& item) {
      return item.second.state == State::ready && item.first < visible;
    });
  }
  std::uint64_t count(State state, bool seen) const {
    return static_cast<std::uint64_t>(std::count_if(messages.begin(), messages.end(), [&](const auto& item) {
      return item.second.state == state && (item.first < visible) == seen;
    }));
  }
};

class RandomQueue {
 public:
  explicit RandomQueue(std::uint64_t seed) : rng_(seed) {}
  void step();
  void compare();

 private:
  void push();
  void deliver();
  void settle();
  void change_consumers();
  std::uint64_t any_out();

  Rng rng_;
  Queue queue_{options()};
  ModelQueue model_;
  std::vector<DeliveryWindow> windows_ = std::vector<DeliveryWindow>(3);
  std::map<std::uint32_t, std::unique_ptr<Consumer>> consumers_;
  std::map<std::uint64_t, std::uint32_t> holders_;  // seq -> consumer, of what is out
  std::uint32_t next_consumer_ = 1;
};

void RandomQueue::push() {
  if (rng_.chance(1, 100)) {
    model_.end += rng_.below(2000);
    const bool all = queue_.all_visible();
    queue_.skip_to(Seq{model_.end});
    if (all) model_.visible = model_.end;
  }
  queue_.push(Seq{model_.end}, Entry(model_.end, rng_.chance(1, 2)));
  model_.messages[model_.end++] = {};
  if (rng_.chance(1, 2)) {
    model_.visible = std::max(model_.visible, model_.end - std::min(model_.end, rng_.below(3)));
    queue_.make_visible(Seq{model_.visible});
  }
}

void RandomQueue::deliver() {
  Queue::Head head;
  const bool any = queue_.peek(head);
  const auto expected = model_.head();
  ASSERT_EQ(any, expected != model_.messages.end());
  if (!any) return;
  ASSERT_EQ(head.seq.value, expected->first);
  ASSERT_EQ(head.entry.redelivered(), expected->second.redelivered);
  ASSERT_EQ(head.entry.reference(), expected->first);
  Consumer* const to = rng_.chance(1, 4) ? nullptr : queue_.next_consumer();
  const bool somebody_can = std::any_of(consumers_.begin(), consumers_.end(), [](const auto& c) {
    return c.second->waiting && c.second->can_take();
  });
  if (to != nullptr) {
    ASSERT_TRUE(to->can_take());
    ++to->window->messages;
  } else if (somebody_can && rng_.chance(1, 2)) {
    return;
  }
  queue_.deliver(head, to);
  expected->second.state = ModelQueue::State::out;
  holders_[head.seq.value] = to == nullptr ? 0 : to->number;
}

std::uint64_t RandomQueue::any_out() {
  const std::uint64_t from = rng_.below(model_.end + 1);
  const auto at = holders_.lower_bound(from);
  return at == holders_.end() ? holders_.begin()->first : at->first;
}

void RandomQueue::settle() {
  if (holders_.empty()) return;
  const std::uint64_t seq = any_out();
  if (rng_.chance(2, 3)) {
    Entry entry;
    ASSERT_TRUE(queue_.remove(Seq{seq}, entry));
    ASSERT_EQ(entry.reference(), seq);
    model_.messages.erase(seq);
  } else {
    ASSERT_TRUE(queue_.put_back(Seq{seq}));
    model_.messages[seq] = {ModelQueue::State::ready, true};
  }
  const auto holder = consumers_.find(holders_[seq]);
  holders_.erase(seq);
  if (holder == consumers_.end()) return;
  --holder->second->unacked;
  --holder->second->window->messages;
  for (auto& [number, consumer] : consumers_) queue_.reconsider(*consumer);
}

void RandomQueue::change_consumers() {
  if (consumers_.size() < 5 && rng_.chance(1, 2)) {
    auto made = std::make_unique<Consumer>();
    made->number = next_consumer_++;
    made->prefetch = static_cast<std::uint32_t>(rng_.below(4));
    made->window = &windows_[rng_.below(windows_.size())];
    queue_.attach(*made);
    consumers_[made->number] = std::move(made);
  } else if (!consumers_.empty()) {
    const auto leaving = consumers_.begin();
    leaving->second->window->messages -= leaving->second->unacked;
    queue_.detach(*leaving->second);
    consumers_.erase(leaving);
  }
}

void RandomQueue::step() {
  const std::uint64_t dice = rng_.below(100);
  if (dice < 35) return push();
  if (dice < 70) return deliver();
  if (dice < 95) return settle();
  if (dice < 98) return change_consumers();
  if (!rng_.chance(1, 20)) return;
  std::uint64_t expected = 0;
  std::erase_if(model_.messages, [&](const auto& item) {
    const bool goes = item.second.state == ModelQueue::State::ready && item.first < model_.visible;
    expected += goes ? 1 : 0;
    return goes;
  });
  ASSERT_EQ(queue_.purge([](Seq, const Entry&) {}), expected);
}

void RandomQueue::compare() {
  using State = ModelQueue::State;
  ASSERT_EQ(queue_.ready(), model_.count(State::ready, true));
  ASSERT_EQ(queue_.out(), holders_.size());
  ASSERT_EQ(queue_.held_back(), model_.count(State::ready, false));
  ASSERT_EQ(queue_.next_seq().value, model_.end);
  std::vector<std::uint64_t> walked, expected;
  queue_.for_each([&](Seq seq, const Entry&) { walked.push_back(seq.value); });
  for (const auto& [seq, message] : model_.messages) expected.push_back(seq);
  ASSERT_EQ(walked, expected);
  for (const auto& [number, consumer] : consumers_) {
    if (consumer->prefetch > 0) {
      ASSERT_LE(consumer->unacked, consumer->prefetch);
    }
    if (consumer->can_take()) {
      ASSERT_TRUE(consumer->waiting) << "who can take is in the ring";
    }
  }
}

}  // namespace

TEST(Queue, is_a_sorted_map_in_all_that_can_be_seen) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    RandomQueue random(seed);
    for (int step = 0; step < 3000; ++step) {
      random.step();
      if (step % 50 == 0) random.compare();
      ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace weir::broker
