#include "app/process_signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "app/exit_codes.h"
#include "base/assert.h"
#include "base/log.h"

namespace weir::app {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

sigset_t watched_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, signal);
  return set;
}

}  // namespace

struct ProcessSignals::State {
  explicit State(std::chrono::milliseconds may_take) : stop_may_take(may_take) {
    const sigset_t set = watched_signals();
    WEIR_ASSERT(::pthread_sigmask(SIG_BLOCK, &set, &mask_before) == 0);
    signals = ::signalfd(-1, &set, SFD_CLOEXEC);
    end = ::eventfd(0, EFD_CLOEXEC);
    WEIR_ASSERT(signals >= 0 && end >= 0);
    thread = std::thread([this] { run(); });
  }
  ~State() {
    const std::uint64_t one = 1;
    WEIR_ASSERT(::write(end, &one, sizeof one) == sizeof one);
    thread.join();
    ::close(signals);
    ::close(end);
    ::pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
  }

  void run() {
    while (true) {
      pollfd waiting[] = {{signals, POLLIN, 0}, {end, POLLIN, 0}};
      const int ready = ::poll(waiting, 2, timeout_ms());
      if (ready < 0) {
        WEIR_ASSERT(errno == EINTR);
        continue;
      }
      if (ready == 0) give_up();
      if (waiting[1].revents != 0) return;
      signalfd_siginfo info{};
      if (waiting[0].revents != 0 && ::read(signals, &info, sizeof info) == sizeof info) {
        take(static_cast<int>(info.ssi_signo));
      }
    }
  }

  int timeout_ms() const {
    if (!deadline) return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }

  [[noreturn]] void give_up() const {
    log_error("server", "not stopped after {} ms: ending without a clean close", stop_may_take.count());
    ::_exit(exit_code::failed);
  }

  void take(int signal) {
    const std::lock_guard guard(mutex);
    if (signal == SIGHUP) {
      if (reactions) reactions->reload();
      return;
    }
    if (!reactions) {
      log_info("server", "stopped while starting");
      ::_exit(exit_code::ok);
    }
    if (deadline) {
      // Who presses Ctrl-C again does not want to wait.
      if (signal == SIGINT) ::_exit(128 + SIGINT);
      return;
    }
    deadline = std::chrono::steady_clock::now() + stop_may_take;
    log_info("server", "{}: stopping", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    reactions->stop();
  }

  const std::chrono::milliseconds stop_may_take;
  sigset_t mask_before{};
  int signals = -1, end = -1;
  std::mutex mutex;
  std::optional<Reactions> reactions;
  std::optional<SteadyTime> deadline;  // of the signals' thread
  std::thread thread;
};

ProcessSignals::ProcessSignals(std::chrono::milliseconds deadline)
    : state_(std::make_unique<State>(deadline)) {}
ProcessSignals::~ProcessSignals() = default;

void ProcessSignals::react(Reactions reactions) {
  const std::lock_guard guard(state_->mutex);
  state_->reactions = std::move(reactions);
}

}  // namespace weir::app
