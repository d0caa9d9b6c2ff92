// What it is: what the threads of a run share: when to begin and end, how far it has come, and that something failed.
// Shard: any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "base/error.h"

namespace weir::cli {

// The times of a run on the monotonic clock. Zero: not known yet.
struct BenchTimes {
  std::uint64_t start_ns = 0;
  std::uint64_t measure_begin_ns = 0;
  std::uint64_t measure_end_ns = UINT64_MAX;

  bool measured(std::uint64_t at_ns) const { return at_ns >= measure_begin_ns && at_ns < measure_end_ns; }
};

class BenchControl {
 public:
  // --- progress: added to once per batch ---
  alignas(64) std::atomic<std::uint64_t> published{0};
  alignas(64) std::atomic<std::uint64_t> confirmed{0};  // and refused
  alignas(64) std::atomic<std::uint64_t> consumed{0};
  // A producer waits for consumers to catch up (--backlog).
  alignas(64) std::atomic<bool> producer_waits{false};

  // Written before begin(), read by the loops after they have seen begun().
  BenchTimes times;
  void begin() { begun_.store(true, std::memory_order_release); }
  bool begun() const { return begun_.load(std::memory_order_acquire); }

  // --- connections on their way through the run ---
  void count_ready() { count(ready_); }
  void count_publishing_done() { count(publishing_done_); }
  void count_closed() { count(closed_); }
  // The first error wins.
  void fail_with(std::string message);
  std::optional<std::string> failure() const;

  // Each waits until so many are, something failed, or the time is over. True if so many are.
  bool wait_ready(std::uint32_t wanted, double seconds) { return wait(ready_, wanted, seconds, true); }
  bool wait_closed(std::uint32_t wanted, double seconds) { return wait(closed_, wanted, seconds, false); }
  std::uint32_t publishing_done() const;
  // Waits for so long, or until something failed (then false).
  bool pause_s(double seconds);

 private:
  void count(std::uint32_t& counter);
  bool wait(const std::uint32_t& counter, std::uint32_t wanted, double seconds, bool stop_at_failure);

  std::atomic<bool> begun_{false};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint32_t ready_ = 0;
  std::uint32_t publishing_done_ = 0;
  std::uint32_t closed_ = 0;
  std::optional<std::string> failure_;
};

}  // namespace weir::cli
