#include "broker/alarms.h"

#include "base/assert.h"

namespace weir::broker {

Alarm::~Alarm() {
  if (armed()) alarms_->cancel(*this);
}

void Alarms::put(std::size_t place, Alarm& alarm) {
  heap_[place] = &alarm;
  alarm.place_ = place + 1;
}

void Alarms::up(std::size_t place, Alarm& alarm) {
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (heap_[parent]->at_ms_ <= alarm.at_ms_) break;
    put(place, *heap_[parent]);
    place = parent;
  }
  put(place, alarm);
}

void Alarms::down(std::size_t place, Alarm& alarm) {
  for (;;) {
    std::size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->at_ms_ < heap_[child]->at_ms_) ++child;
    if (alarm.at_ms_ <= heap_[child]->at_ms_) break;
    put(place, *heap_[child]);
    place = child;
  }
  put(place, alarm);
}

void Alarms::arm(Alarm& alarm, std::uint64_t at_ms) {
  if (!alarm.armed()) {
    alarm.alarms_ = this;
    alarm.at_ms_ = at_ms;
    heap_.push_back(&alarm);
    return up(heap_.size() - 1, alarm);
  }
  WEIR_ASSERT(alarm.alarms_ == this);
  const bool earlier = at_ms < alarm.at_ms_;
  alarm.at_ms_ = at_ms;
  earlier ? up(alarm.place_ - 1, alarm) : down(alarm.place_ - 1, alarm);
}

void Alarms::cancel(Alarm& alarm) {
  if (!alarm.armed()) return;
  const std::size_t place = alarm.place_ - 1;
  alarm.place_ = 0;
  Alarm& last = *heap_.back();
  heap_.pop_back();
  if (&last == &alarm) return;
  if (place > 0 && last.at_ms_ < heap_[(place - 1) / 2]->at_ms_) return up(place, last);
  down(place, last);
}

}  // namespace weir::broker
