// What it is: tells every second how many lines the log left out.
// Shard: made, used and destroyed on the shard whose timers it gets.
#pragma once

#include "app/logging.h"
#include "runtime/timers.h"

namespace weir::app {

class LogDropsWatch {
 public:
  explicit LogDropsWatch(runtime::TimerWheel& timers) : timers_(timers) { timers_.arm(timer_, every_ms); }
  ~LogDropsWatch() {
    timers_.cancel(timer_);
    tell_dropped_lines();
  }
  LogDropsWatch(const LogDropsWatch&) = delete;
  LogDropsWatch& operator=(const LogDropsWatch&) = delete;

 private:
  static constexpr std::uint64_t every_ms = 1'000;

  void look() {
    timers_.arm(timer_, every_ms);
    tell_dropped_lines();
  }

  runtime::TimerWheel& timers_;
  runtime::MethodTimer<LogDropsWatch, &LogDropsWatch::look> timer_{*this};
};

}  // namespace weir::app
