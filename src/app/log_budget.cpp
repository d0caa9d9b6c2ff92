#include "app/log_budget.h"

#include <algorithm>
#include <utility>

namespace weir::app {

bool LogBudget::take(std::uint64_t now_ns) {
  if (per_second_ == 0) return true;
  const std::uint64_t passed_ns = last_ns_ == 0 || now_ns < last_ns_ ? 0 : now_ns - last_ns_;
  last_ns_ = now_ns;
  left_ = std::min(left_ + static_cast<double>(passed_ns) / 1e9 * static_cast<double>(per_second_),
                   static_cast<double>(burst()));
  if (left_ < 1) {
    ++dropped_;
    return false;
  }
  left_ -= 1;
  return true;
}

std::uint64_t LogBudget::take_dropped() { return std::exchange(dropped_, 0); }

}  // namespace weir::app
