#include "runtime/timers.h"

#include <bit>
#include <functional>
#include <limits>

#include "base/assert.h"

namespace weir::runtime {

Timer::~Timer() {
  if (wheel_ != nullptr) wheel_->cancel(*this);
}

TimerWheel::TimerWheel(std::uint64_t now_ms) : now_ms_(now_ms), cursor_ms_(now_ms) {}

TimerWheel::~TimerWheel() {
  for (Timer*& slot : wheel_) {
    while (slot != nullptr) cancel(*slot);
  }
}

void TimerWheel::arm(Timer& timer, std::uint64_t delay_ms) {
  WEIR_ASSERT(timer.wheel_ == nullptr || timer.wheel_ == this);
  if (timer.wheel_ != nullptr) unlink(timer);
  if (delay_ms == 0) delay_ms = 1;
  constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();
  timer.deadline_ms_ = delay_ms > never - now_ms_ ? never : now_ms_ + delay_ms;
  timer.wheel_ = this;
  ++armed_;
  place(timer);
}

void TimerWheel::cancel(Timer& timer) {
  if (timer.wheel_ == nullptr) return;
  WEIR_ASSERT(timer.wheel_ == this);
  unlink(timer);
}

void TimerWheel::place(Timer& timer) {
  const std::uint64_t differs = timer.deadline_ms_ ^ cursor_ms_;
  const unsigned level = differs == 0 ? 0 : static_cast<unsigned>(std::bit_width(differs) - 1) / level_bits;
  std::size_t index = slots_all;
  if (level < levels) {
    index = level * slots + ((timer.deadline_ms_ >> (level * level_bits)) & (slots - 1));
    occupied_[index / 64] |= std::uint64_t{1} << (index % 64);
  }
  Timer*& head = wheel_[index];
  timer.next_ = head;
  timer.link_ = &head;
  if (head != nullptr) head->link_ = &timer.next_;
  head = &timer;
}

void TimerWheel::unlink(Timer& timer) {
  *timer.link_ = timer.next_;
  if (timer.next_ != nullptr) {
    timer.next_->link_ = timer.link_;
  } else {
    // The slot may be empty now. A list that is being fired or cascaded has its head outside of the wheel.
    const std::less<Timer**> before;
    Timer** const first = wheel_.data();
    if (!before(timer.link_, first) && before(timer.link_, first + slots_all)) {
      const auto index = static_cast<std::size_t>(timer.link_ - first);
      occupied_[index / 64] &= ~(std::uint64_t{1} << (index % 64));
    }
  }
  timer.next_ = nullptr;
  timer.link_ = nullptr;
  timer.wheel_ = nullptr;
  --armed_;
}

std::optional<TimerWheel::Due> TimerWheel::first_due() const {
  constexpr std::size_t words = slots / 64;
  for (unsigned level = 0; level < levels; ++level) {
    for (std::size_t word = level * words; word < (level + 1) * words; ++word) {
      if (occupied_[word] == 0) continue;
      const std::size_t index = word * 64 + static_cast<std::size_t>(std::countr_zero(occupied_[word]));
      const unsigned shift = level * level_bits;
      const std::uint64_t above = cursor_ms_ >> (shift + level_bits) << (shift + level_bits);
      return Due{above | static_cast<std::uint64_t>(index % slots) << shift, index};
    }
  }
  if (wheel_[slots_all] == nullptr) return std::nullopt;
  constexpr unsigned shift = levels * level_bits;
  return Due{((cursor_ms_ >> shift) + 1) << shift, slots_all};
}

std::optional<std::uint64_t> TimerWheel::next_due_ms() const {
  const std::optional<Due> due = first_due();
  if (!due) return std::nullopt;
  return due->at_ms;
}

namespace {

// Slots are pushed at the front; firing and cascading go in the order of arming.
Timer* reversed(Timer* head, Timer* Timer::* next) {
  Timer* result = nullptr;
  while (head != nullptr) {
    Timer* const following = head->*next;
    head->*next = result;
    result = head;
    head = following;
  }
  return result;
}

}  // namespace

void TimerWheel::cascade(std::size_t index) {
  Timer* list = reversed(wheel_[index], &Timer::next_);
  wheel_[index] = nullptr;
  if (index < slots_all) occupied_[index / 64] &= ~(std::uint64_t{1} << (index % 64));
  while (list != nullptr) {
    Timer& timer = *list;
    list = timer.next_;
    place(timer);
  }
}

std::size_t TimerWheel::fire(std::size_t index) {
  Timer* list = reversed(wheel_[index], &Timer::next_);
  wheel_[index] = nullptr;
  occupied_[index / 64] &= ~(std::uint64_t{1} << (index % 64));
  Timer** link = &list;
  for (Timer* timer = list; timer != nullptr; timer = timer->next_) {
    timer->link_ = link;
    link = &timer->next_;
  }
  std::size_t fired = 0;
  while (list != nullptr) {
    Timer& timer = *list;
    unlink(timer);
    ++fired;
    timer.on_timer();
  }
  return fired;
}

std::size_t TimerWheel::advance(std::uint64_t now_ms) {
  set_now(now_ms);
  now_ms = now_ms_;
  if (now_ms == cursor_ms_) return 0;
  std::size_t fired = 0;
  for (;;) {
    const std::optional<Due> due = first_due();
    if (!due || due->at_ms > now_ms) break;
    cursor_ms_ = due->at_ms;
    if (due->index < slots) {
      fired += fire(due->index);
    } else {
      cascade(due->index);
    }
  }
  cursor_ms_ = now_ms;
  return fired;
}

}  // namespace weir::runtime
