#include "app/process_signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <semaphore>

#include "app/exit_codes.h"

namespace weir::app {
namespace {

constexpr std::chrono::minutes long_enough{1};

// The death tests fork: nothing else may run beside them.
class ProcessSignalsDeathTest : public testing::Test {
 protected:
  ProcessSignalsDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

[[noreturn]] void wait_to_be_ended() {
  while (true) ::pause();
}

TEST(ProcessSignals, a_hangup_reloads_each_time_and_a_termination_stops_once) {
  std::counting_semaphore<> reloads(0), stops(0);
  ProcessSignals signals(std::chrono::hours(1));
  signals.react({[&] { stops.release(); }, [&] { reloads.release(); }});
  for (int i = 0; i < 2; ++i) {
    ::kill(::getpid(), SIGHUP);
    EXPECT_TRUE(reloads.try_acquire_for(long_enough));
  }
  ::kill(::getpid(), SIGTERM);
  EXPECT_TRUE(stops.try_acquire_for(long_enough));
  ::kill(::getpid(), SIGTERM);
  ::kill(::getpid(), SIGHUP);  // taken after the second SIGTERM
  EXPECT_TRUE(reloads.try_acquire_for(long_enough));
  EXPECT_FALSE(stops.try_acquire());
}

TEST_F(ProcessSignalsDeathTest, a_termination_while_starting_ends_at_once) {
  EXPECT_EXIT(
      {
        const ProcessSignals signals;
        ::kill(::getpid(), SIGTERM);
        wait_to_be_ended();
      },
      testing::ExitedWithCode(exit_code::ok), "");
}

TEST_F(ProcessSignalsDeathTest, who_does_not_stop_in_time_is_ended_with_a_line_in_the_log) {
  EXPECT_EXIT(
      {
        ProcessSignals signals(std::chrono::milliseconds(10));
        signals.react({[] {}, [] {}});
        ::kill(::getpid(), SIGTERM);
        wait_to_be_ended();
      },
      testing::ExitedWithCode(exit_code::failed), "not stopped after 10 ms");
}

TEST_F(ProcessSignalsDeathTest, a_second_interrupt_ends_at_once) {
  EXPECT_EXIT(
      {
        ProcessSignals signals(std::chrono::hours(1));
        signals.react({[] { ::kill(::getpid(), SIGINT); }, [] {}});
        ::kill(::getpid(), SIGINT);
        wait_to_be_ended();
      },
      testing::ExitedWithCode(128 + SIGINT), "");
}

}  // namespace
}  // namespace weir::app
