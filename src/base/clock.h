// What it is: time as an interface, so that tests and the simulator own it. Only runtime/ reads the real clock.
#pragma once

#include <cstdint>

namespace weir {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::uint64_t monotonic_ns() const = 0;  // never goes back; from an arbitrary start
  virtual std::uint64_t wall_ms() const = 0;       // Unix time; may jump
};

// Moved by hand.
class ManualClock final : public Clock {
 public:
  std::uint64_t monotonic_ns() const override { return ns_; }
  std::uint64_t wall_ms() const override { return wall_start_ms_ + ns_ / 1'000'000; }
  void advance_ns(std::uint64_t by) { ns_ += by; }
  void advance_ms(std::uint64_t by) { ns_ += by * 1'000'000; }
  // The wall clock is set, forward or back.
  void jump_wall_ms(std::int64_t by) { wall_start_ms_ += static_cast<std::uint64_t>(by); }

 private:
  std::uint64_t ns_ = 0;
  std::uint64_t wall_start_ms_ = 1'700'000'000'000;
};

}  // namespace weir
