// What it is: the thread that calls the producers whenever a message of the timetable is due: the loops' timers tick in
// milliseconds, a timetable needs a finer grain.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "cli/pacer.h"

namespace weir::cli {

class PacingThread {
 public:
  // Calls `due` at each intended time until `end_ns` on the monotonic clock.
  PacingThread(const Pacer& pacer, std::uint64_t end_ns, std::function<void()> due);
  ~PacingThread();

 private:
  void run(const Pacer& pacer, std::uint64_t end_ns);

  std::function<void()> due_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace weir::cli
