#include "runtime/loop.h"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "loop_probe.h"
#include "runtime/inbox.h"
#include "runtime/workers.h"

namespace weir::runtime {
namespace {

std::unique_ptr<Loop> make_loop() { return Loop::make().value(); }

TEST(Loop, posted_calls_run_in_order_on_the_loop) {
  const auto loop = make_loop();
  std::vector<int> order;
  std::thread::id ran_on;
  std::thread other([&] {
    loop->post([&] { order.push_back(1); });
    loop->post([&] {
      order.push_back(2);
      ran_on = std::this_thread::get_id();
    });
  });
  EXPECT_TRUE(run_until(*loop, [&] { return order.size() == 2; }));
  other.join();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(Loop, a_posted_call_that_posts_is_not_lost) {
  const auto loop = make_loop();
  int depth = 0;
  std::function<void()> again = [&] {
    if (++depth < 1'000) loop->post(again);
  };
  loop->post(again);
  EXPECT_TRUE(run_until(*loop, [&] { return depth == 1'000; }));
}

TEST(Loop, stop_before_run_ends_it_at_once_and_it_can_run_again) {
  const auto loop = make_loop();
  loop->stop();
  loop->run(nullptr);
  bool ran = false;
  loop->post([&] { ran = true; });
  EXPECT_TRUE(run_until(*loop, [&] { return ran; }));
}

TEST(Loop, stop_from_another_thread_ends_a_sleeping_loop) {
  const auto loop = make_loop();
  std::thread runner([&] { loop->run(nullptr); });
  loop->stop();
  runner.join();
}

TEST(Loop, timers_fire_while_nothing_else_happens) {
  const auto loop = make_loop();
  struct Count final : Timer {
    void on_timer() override { ++fired; }
    int fired = 0;
  } timer;
  const std::uint64_t before_ns = loop->clock().monotonic_ns();
  loop->timers().arm(timer, 30);
  EXPECT_TRUE(run_until(*loop, [&] { return timer.fired == 1; }));
  EXPECT_GE(loop->clock().monotonic_ns() - before_ns, 29'000'000U);
}

// Two shards that throw a batch back and forth: every sleep must end by the other's wake().
TEST(Loop, wake_is_never_lost_between_two_shards) {
  constexpr int rounds = 20'000;
  struct Shard final : TurnHandler {
    Shard() : loop(make_loop()), inbox([this] { loop->wake(); }) {}
    bool begin_turn() override {
      taken.clear();
      inbox.drain(taken);
      return !taken.empty();
    }
    void end_turn() override {
      for (const int number : taken) {
        last = number;
        batch.push_back(number + 1);
      }
      taken.clear();
      other->inbox.push(batch);
      if (last >= rounds) {
        loop->stop();
        other->loop->stop();
      }
    }
    std::unique_ptr<Loop> loop;
    Inbox<int> inbox;
    Shard* other = nullptr;
    std::vector<int> taken;
    std::vector<int> batch;
    int last = 0;
  };
  Shard left;
  Shard right;
  left.other = &right;
  right.other = &left;
  std::vector<int> first{1};
  left.inbox.push(first);
  std::thread thread([&] { right.loop->run(&right); });
  left.loop->run(&left);
  thread.join();
  EXPECT_GE(std::max(left.last, right.last), rounds);
}

TEST(Loop, a_termination_signal_calls_the_handler_on_the_loop) {
  const auto loop = make_loop();
  int told = 0;
  loop->on_termination([&] { ++told; });
  ASSERT_EQ(::raise(SIGTERM), 0);
  EXPECT_TRUE(run_until(*loop, [&] { return told == 1; }));
  ASSERT_EQ(::raise(SIGINT), 0);
  EXPECT_TRUE(run_until(*loop, [&] { return told == 2; }));
}

TEST(Loop, what_is_written_to_its_disk_completes_in_a_turn) {
  const auto loop = make_loop();
  struct Request final : IoRequest {
    void on_io(std::int64_t value) override { result = value; }
    std::int64_t result = 1;
  } request;
  loop->disk().remove_file("/proc/no such file", request);
  EXPECT_TRUE(run_until(*loop, [&] { return request.result != 1; }));
  EXPECT_EQ(request.result, -ENOENT);
}

TEST(Workers, work_runs_on_another_thread_and_its_end_on_the_loop) {
  const auto loop = make_loop();
  const auto workers = make_workers(2);
  std::thread::id worked_on;
  std::thread::id done_on;
  bool done = false;
  ASSERT_TRUE(workers->submit([&] { worked_on = std::this_thread::get_id(); }, *loop,
                              [&] {
                                done_on = std::this_thread::get_id();
                                done = true;
                              }));
  EXPECT_TRUE(run_until(*loop, [&] { return done; }));
  EXPECT_EQ(done_on, std::this_thread::get_id());
  EXPECT_NE(worked_on, done_on);
}

TEST(Workers, a_full_queue_refuses) {
  const auto loop = make_loop();
  std::mutex busy;
  busy.lock();
  const auto workers = make_workers(1);
  int accepted = 0;
  int finished = 0;
  while (accepted < 1'000 &&
         workers->submit([&] { const std::lock_guard wait(busy); }, *loop, [&] { ++finished; })) {
    ++accepted;
  }
  EXPECT_GE(accepted, 64);
  EXPECT_LE(accepted, 65);
  busy.unlock();
  EXPECT_TRUE(run_until(*loop, [&] { return finished == accepted; }));
}

}  // namespace
}  // namespace weir::runtime
