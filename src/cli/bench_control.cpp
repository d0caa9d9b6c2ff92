#include "cli/bench_control.h"

#include <chrono>

namespace weir::cli {

void BenchControl::fail_with(std::string message) {
  const std::scoped_lock lock(mutex_);
  if (!failure_) failure_ = std::move(message);
  changed_.notify_all();
}

std::optional<std::string> BenchControl::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

std::uint32_t BenchControl::publishing_done() const {
  const std::scoped_lock lock(mutex_);
  return publishing_done_;
}

bool BenchControl::pause_s(double seconds) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, std::chrono::duration<double>(seconds),
                            [this] { return failure_.has_value(); });
}

void BenchControl::count(std::uint32_t& counter) {
  const std::scoped_lock lock(mutex_);
  ++counter;
  changed_.notify_all();
}

bool BenchControl::wait(const std::uint32_t& counter, std::uint32_t wanted, double seconds,
                        bool stop_at_failure) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::duration<double>(seconds),
                    [&] { return counter >= wanted || (stop_at_failure && failure_.has_value()); });
  return counter >= wanted;
}

}  // namespace weir::cli
