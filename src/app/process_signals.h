// What it is: SIGTERM, SIGINT and SIGHUP, waited for on a thread of its own, so that they are heard even while every
// shard is stuck; and the deadline after which stopping is no longer waited for.
// Shard: made on the main thread before any other thread, which inherit that the signals are blocked. The reactions run
// on the signals' thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace weir::app {

// From SIGTERM until the process ends, one way or the other.
inline constexpr std::chrono::milliseconds stop_deadline{5'000};

class ProcessSignals {
 public:
  struct Reactions {
    std::function<void()> stop;    // SIGTERM or SIGINT, once
    std::function<void()> reload;  // SIGHUP
  };

  // Until react() is called, SIGTERM and SIGINT end the process at once (nothing was promised to anybody yet), and
  // SIGHUP does nothing.
  explicit ProcessSignals(std::chrono::milliseconds deadline = stop_deadline);
  ~ProcessSignals();
  ProcessSignals(const ProcessSignals&) = delete;
  ProcessSignals& operator=(const ProcessSignals&) = delete;

  void react(Reactions reactions);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::app
