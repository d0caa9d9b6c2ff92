// What it is: how many lines of one kind may be written: so many a second over time, with some seconds' worth at once. What is
// over that is counted, and told when it is over.
// Shard: whoever holds the lock on it.
#pragma once

#include <cstdint>

namespace weir::app {

class LogBudget {
 public:
  // 0: any number.
  explicit LogBudget(std::uint64_t lines_per_second = 0) : per_second_(lines_per_second) {
    left_ = static_cast<double>(burst());
  }

  // Whether a line may be written now.
  bool take(std::uint64_t now_ns);
  // How many may not have been since this was asked last.
  std::uint64_t take_dropped();
  std::uint64_t per_second() const { return per_second_; }
  std::uint64_t burst() const { return per_second_ * burst_seconds; }

 private:
  static constexpr std::uint64_t burst_seconds = 10;

  std::uint64_t per_second_;
  double left_ = 0;  // lines
  std::uint64_t last_ns_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace weir::app
