// What it is: a hierarchical timer wheel with intrusive timers: arming and cancelling are O(1) and allocate nothing.
// The wheel reads no clock: whoever drives it (the loop, a test, the simulator) calls advance().
// Shard: one wheel per shard, used on its thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace weir::runtime {

class TimerWheel;

// Lifetime: destroying an armed timer cancels it.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual void on_timer() = 0;
  bool armed() const { return wheel_ != nullptr; }
  std::uint64_t deadline_ms() const { return deadline_ms_; }

 protected:
  ~Timer();

 private:
  friend class TimerWheel;
  TimerWheel* wheel_ = nullptr;
  Timer* next_ = nullptr;
  Timer** link_ = nullptr;  // the pointer that points at this timer
  std::uint64_t deadline_ms_ = 0;
};

// A timer that calls a member function: `MethodTimer<Connection, &Connection::on_heartbeat> timer_{*this};`
template <typename T, void (T::*Method)()>
class MethodTimer final : public Timer {
 public:
  explicit MethodTimer(T& target) : target_(target) {}
  void on_timer() override { (target_.*Method)(); }

 private:
  T& target_;
};

class TimerWheel {
 public:
  // `now_ms` is monotonic milliseconds from any start.
  explicit TimerWheel(std::uint64_t now_ms = 0);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();

  // Arms, or re-arms. Fires at the first advance() at or after now + delay; a delay of 0 fires at the next tick.
  void arm(Timer& timer, std::uint64_t delay_ms);
  void cancel(Timer& timer);
  // Fires what is due, by deadline and then in the order of arming. Timers may arm and cancel others meanwhile; what
  // is armed inside of a callback counts from `now_ms` and never fires in the same advance().
  std::size_t advance(std::uint64_t now_ms);
  // What time it is, without firing: arm() counts from it. advance() to at least this time follows.
  void set_now(std::uint64_t now_ms) {
    if (now_ms > now_ms_) now_ms_ = now_ms;
  }
  std::uint64_t now_ms() const { return now_ms_; }
  // The earliest time at which advance() may have something to do; never later than the first deadline.
  std::optional<std::uint64_t> next_due_ms() const;
  std::size_t armed_count() const { return armed_; }

 private:
  static constexpr unsigned level_bits = 8;
  static constexpr unsigned levels = 4;
  static constexpr std::size_t slots = 1U << level_bits;
  static constexpr std::size_t slots_all = levels * slots;

  struct Due {
    std::uint64_t at_ms;
    std::size_t index;
  };
  std::optional<Due> first_due() const;
  void place(Timer& timer);
  void unlink(Timer& timer);
  void cascade(std::size_t index);
  std::size_t fire(std::size_t index);

  // Level by level; the last slot holds what lies beyond all levels. A timer's level is the highest digit (of 8 bits)
  // in which its deadline differs from cursor_ms_, its slot there is the deadline's digit: so every occupied slot is
  // ahead of the cursor and a lower level is always due before a higher one.
  std::array<Timer*, slots_all + 1> wheel_{};
  std::array<std::uint64_t, slots_all / 64> occupied_{};  // a bit per slot of wheel_
  std::uint64_t now_ms_;
  std::uint64_t cursor_ms_;  // how far firing has come; never ahead of now_ms_
  std::size_t armed_ = 0;
};

}  // namespace weir::runtime
