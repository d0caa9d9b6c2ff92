// What it is: what has a time at which something is to be done: a chunk of a queue's messages (the first of them expires,
// or may be delivered), or a queue. An intrusive heap: arming, moving and cancelling cost O(log n), memory a pointer.
// Ten million messages with a time of their own are twenty thousand alarms.
// Shard: its own. It knows no clock: the holder asks first() what is next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::broker {

class Alarms;
class Queue;

// Lifetime: destroying it cancels it; Alarms outlives it. Stays where it is while it is armed.
class Alarm {
 public:
  static constexpr std::uint64_t whole_queue = UINT64_MAX;

  Alarm() = default;
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm();

  bool armed() const { return place_ != 0; }
  std::uint64_t at_ms() const { return at_ms_; }  // Unix

  Queue* queue = nullptr;
  std::uint64_t chunk = whole_queue;  // which of the queue's chunks

 private:
  friend class Alarms;
  Alarms* alarms_ = nullptr;
  std::size_t place_ = 0;  // in the heap, counted from 1
  std::uint64_t at_ms_ = 0;
};

class Alarms {
 public:
  Alarms() = default;
  Alarms(const Alarms&) = delete;
  Alarms& operator=(const Alarms&) = delete;

  // Arms it, or moves it.
  void arm(Alarm& alarm, std::uint64_t at_ms);
  // The same if it is not armed, or later.
  void arm_before(Alarm& alarm, std::uint64_t at_ms) {
    if (!alarm.armed() || at_ms < alarm.at_ms_) arm(alarm, at_ms);
  }
  void cancel(Alarm& alarm);
  // The one that is due first; null if there is none.
  Alarm* first() const { return heap_.empty() ? nullptr : heap_.front(); }
  std::size_t size() const { return heap_.size(); }

 private:
  void put(std::size_t place, Alarm& alarm);
  void up(std::size_t place, Alarm& alarm);
  void down(std::size_t place, Alarm& alarm);

  std::vector<Alarm*> heap_;
};

}  // namespace weir::broker
