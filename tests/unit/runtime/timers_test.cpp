#include "runtime/timers.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/rng.h"

namespace weir::runtime {
namespace {

class RecordingTimer final : public Timer {
 public:
  RecordingTimer(std::vector<int>& fired, int id) : fired_(fired), id_(id) {}
  void on_timer() override {
    fired_.push_back(id_);
    if (then) then();
  }
  std::function<void()> then;

 private:
  std::vector<int>& fired_;
  int id_;
};

TEST(Timers, a_timer_fires_at_its_deadline_and_not_before) {
  TimerWheel wheel(1000);
  std::vector<int> fired;
  RecordingTimer timer(fired, 1);
  wheel.arm(timer, 300);
  EXPECT_EQ(timer.deadline_ms(), 1300U);
  EXPECT_EQ(wheel.advance(1299), 0U);
  EXPECT_TRUE(timer.armed());
  EXPECT_EQ(wheel.advance(1300), 1U);
  EXPECT_FALSE(timer.armed());
  EXPECT_EQ(wheel.armed_count(), 0U);
  EXPECT_EQ(wheel.advance(5000), 0U);
}

TEST(Timers, a_delay_of_zero_fires_at_the_next_tick) {
  TimerWheel wheel;
  std::vector<int> fired;
  RecordingTimer timer(fired, 1);
  wheel.arm(timer, 0);
  EXPECT_EQ(wheel.advance(0), 0U);
  EXPECT_EQ(wheel.advance(1), 1U);
}

TEST(Timers, equal_deadlines_fire_in_the_order_of_arming_whatever_their_level) {
  TimerWheel wheel(255);
  std::vector<int> fired;
  RecordingTimer first(fired, 1);
  RecordingTimer second(fired, 2);
  RecordingTimer third(fired, 3);
  wheel.arm(first, 70'000);
  wheel.advance(60'000);
  wheel.arm(second, 70'255 - 60'000);
  wheel.advance(70'200);
  wheel.arm(third, 55);
  wheel.advance(100'000);
  EXPECT_EQ(fired, (std::vector<int>{1, 2, 3}));
}

TEST(Timers, a_cancelled_timer_does_not_fire_even_when_cancelled_by_one_of_the_same_tick) {
  TimerWheel wheel;
  std::vector<int> fired;
  RecordingTimer first(fired, 1);
  RecordingTimer second(fired, 2);
  RecordingTimer third(fired, 3);
  first.then = [&] { wheel.cancel(second); };
  wheel.arm(first, 5);
  wheel.arm(second, 5);
  wheel.arm(third, 5);
  wheel.advance(10);
  EXPECT_EQ(fired, (std::vector<int>{1, 3}));
  EXPECT_EQ(wheel.next_due_ms(), std::nullopt);
}

TEST(Timers, destroying_an_armed_timer_cancels_it) {
  TimerWheel wheel;
  std::vector<int> fired;
  auto doomed = std::make_unique<RecordingTimer>(fired, 1);
  RecordingTimer killer(fired, 2);
  wheel.arm(killer, 5);
  wheel.arm(*doomed, 5);
  killer.then = [&] { doomed.reset(); };
  wheel.advance(5);
  EXPECT_EQ(fired, std::vector<int>{2});
  EXPECT_EQ(wheel.armed_count(), 0U);
}

TEST(Timers, a_timer_that_rearms_itself_fires_once_per_advance) {
  TimerWheel wheel;
  std::vector<int> fired;
  RecordingTimer timer(fired, 1);
  timer.then = [&] { wheel.arm(timer, 10); };
  wheel.arm(timer, 10);
  wheel.advance(1'000'000);
  EXPECT_EQ(fired.size(), 1U);
  EXPECT_EQ(timer.deadline_ms(), 1'000'010U);
  wheel.advance(1'000'010);
  EXPECT_EQ(fired.size(), 2U);
}

TEST(Timers, rearming_moves_the_deadline) {
  TimerWheel wheel;
  std::vector<int> fired;
  RecordingTimer timer(fired, 1);
  wheel.arm(timer, 10);
  wheel.arm(timer, 100'000);
  EXPECT_EQ(wheel.armed_count(), 1U);
  EXPECT_EQ(wheel.advance(99'999), 0U);
  EXPECT_EQ(wheel.advance(100'000), 1U);
}

TEST(Timers, deadlines_beyond_the_levels_fire_on_time) {
  constexpr std::uint64_t horizon = std::uint64_t{1} << 32;
  TimerWheel wheel(horizon - 10);
  std::vector<int> fired;
  RecordingTimer near(fired, 1);
  RecordingTimer far(fired, 2);
  RecordingTimer never(fired, 3);
  wheel.arm(near, 20);
  wheel.arm(far, 3 * horizon);
  wheel.arm(never, UINT64_MAX);
  wheel.advance(horizon + 9);
  EXPECT_TRUE(fired.empty());
  wheel.advance(horizon + 10);
  EXPECT_EQ(fired, std::vector<int>{1});
  wheel.advance(4 * horizon - 11);
  EXPECT_EQ(fired.size(), 1U);
  wheel.advance(4 * horizon - 10);
  EXPECT_EQ(fired, (std::vector<int>{1, 2}));
  EXPECT_EQ(never.deadline_ms(), UINT64_MAX);
  EXPECT_TRUE(never.armed());
}

TEST(Timers, arming_counts_from_the_time_that_was_set_though_nothing_fired_yet) {
  TimerWheel wheel;
  std::vector<int> fired;
  RecordingTimer before(fired, 1);
  RecordingTimer after(fired, 2);
  wheel.arm(before, 500);
  wheel.set_now(1'000);
  wheel.arm(after, 500);
  EXPECT_EQ(after.deadline_ms(), 1'500U);
  wheel.advance(1'000);
  EXPECT_EQ(fired, std::vector<int>{1});
  wheel.advance(1'500);
  EXPECT_EQ(fired, (std::vector<int>{1, 2}));
}

TEST(Timers, method_timers_call_the_member) {
  struct Target {
    int calls = 0;
    void on_due() { ++calls; }
    MethodTimer<Target, &Target::on_due> timer{*this};
  };
  TimerWheel wheel;
  Target target;
  wheel.arm(target.timer, 3);
  wheel.advance(3);
  EXPECT_EQ(target.calls, 1);
}

// The wheel beside a sorted map that does the same in the obvious way.
class Comparison {
 public:
  explicit Comparison(std::uint64_t seed) : rng_(seed), now_(rng_.next() >> rng_.below(40)), wheel_(now_) {
    for (int id = 0; id < 64; ++id) timers_.push_back(std::make_unique<RecordingTimer>(fired_, id));
  }

  void step() {
    const auto id = static_cast<int>(rng_.below(timers_.size()));
    Timer& timer = *timers_[static_cast<std::size_t>(id)];
    switch (rng_.below(4)) {
      case 0:
      case 1: arm(id, timer, rng_.next() >> (24 + rng_.below(40))); break;
      case 2:
        wheel_.cancel(timer);
        forget(id);
        break;
      default: advance(rng_.next() >> (24 + rng_.below(40))); break;
    }
    ASSERT_EQ(wheel_.armed_count(), model_.size());
    const auto due = wheel_.next_due_ms();
    ASSERT_EQ(due.has_value(), !model_.empty());
    if (due) {
      ASSERT_LE(*due, model_.begin()->first.first);
      ASSERT_GT(*due, now_);
    }
  }

 private:
  void arm(int id, Timer& timer, std::uint64_t delay) {
    forget(id);
    wheel_.arm(timer, delay);
    model_.emplace(std::pair(now_ + std::max<std::uint64_t>(delay, 1), order_++), id);
  }
  void forget(int id) {
    std::erase_if(model_, [id](const auto& entry) { return entry.second == id; });
  }
  void advance(std::uint64_t by) {
    now_ += by;
    fired_.clear();
    wheel_.advance(now_);
    std::vector<int> expected;
    while (!model_.empty() && model_.begin()->first.first <= now_) {
      expected.push_back(model_.begin()->second);
      model_.erase(model_.begin());
    }
    ASSERT_EQ(fired_, expected);
  }

  Rng rng_;
  std::uint64_t now_;
  std::vector<int> fired_;
  TimerWheel wheel_;
  std::vector<std::unique_ptr<RecordingTimer>> timers_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, int> model_;
  std::uint64_t order_ = 0;
};

TEST(Timers, agree_with_a_sorted_model_over_random_histories) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Comparison comparison(seed);
    for (int i = 0; i < 1'000; ++i) {
      comparison.step();
      ASSERT_FALSE(testing::Test::HasFatalFailure());
    }
  }
}

}  // namespace
}  // namespace weir::runtime
