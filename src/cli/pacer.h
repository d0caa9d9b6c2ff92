// What it is: the timetable of an open-loop run: message k is meant to leave at intended_ns(k), whatever happened to
// the ones before it. Latency that is counted from there includes the time that a late message had to wait for its
// turn ("coordinated omission" can't happen).
// Times lie on a grain: above 10,000 messages/s, several messages share an instant.
#pragma once

#include <cstdint>

namespace weir::cli {

class Pacer {
 public:
  static constexpr std::uint64_t grain_ns = 100'000;

  Pacer(double messages_per_s, std::uint64_t start_ns) : per_s_(messages_per_s), start_ns_(start_ns) {}

  std::uint64_t intended_ns(std::uint64_t k) const {
    const double exact_ns = static_cast<double>(k) * 1e9 / per_s_;
    const auto at = static_cast<std::uint64_t>(exact_ns);
    if (per_s_ * static_cast<double>(grain_ns) <= 1e9) return start_ns_ + at;
    return start_ns_ + (at + grain_ns - 1) / grain_ns * grain_ns;
  }
  // How many messages are meant to have left at `now_ns`: those before k = due(now_ns).
  std::uint64_t due(std::uint64_t now_ns) const {
    if (now_ns < start_ns_) return 0;
    auto k = static_cast<std::uint64_t>(static_cast<double>(now_ns - start_ns_) * per_s_ / 1e9);
    while (intended_ns(k) <= now_ns) ++k;
    while (k > 0 && intended_ns(k - 1) > now_ns) --k;
    return k;
  }

 private:
  double per_s_;
  std::uint64_t start_ns_;
};

}  // namespace weir::cli
