#include "cli/pacing_thread.h"

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>

#include "runtime/loop.h"

namespace weir::cli {

namespace {
constexpr std::uint64_t nap_ns_max = 100'000'000;  // so that a slow timetable can be stopped
}

PacingThread::PacingThread(const Pacer& pacer, std::uint64_t end_ns, std::function<void()> due)
    : due_(std::move(due)), thread_([this, pacer, end_ns] { run(pacer, end_ns); }) {}

PacingThread::~PacingThread() {
  stopping_.store(true);
  thread_.join();
}

void PacingThread::run(const Pacer& pacer, std::uint64_t end_ns) {
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // the kernel's default would add 50 us to each nap
  const Clock& clock = runtime::system_clock();
  std::uint64_t last_due = 0;
  while (!stopping_.load()) {
    const std::uint64_t now_ns = clock.monotonic_ns();
    if (now_ns >= end_ns) return;
    const std::uint64_t due = pacer.due(now_ns);
    if (due > last_due) due_();
    last_due = due;
    const std::uint64_t next_ns = pacer.intended_ns(due);
    const std::uint64_t then_ns = clock.monotonic_ns();
    if (next_ns <= then_ns) continue;
    std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(next_ns - then_ns, nap_ns_max)));
  }
}

}  // namespace weir::cli
