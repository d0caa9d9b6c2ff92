#include "runtime/reactor.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/assert.h"

namespace weir::runtime {

Reactor::Reactor() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) { WEIR_ASSERT(epoll_ >= 0); }

Reactor::~Reactor() { ::close(epoll_); }

Status Reactor::add(int descriptor, Watch& watch, std::uint32_t events) {
  epoll_event event{};
  event.events = events | EPOLLET;
  event.data.ptr = &watch;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) return fail_errno(errno, "epoll_ctl");
  return {};
}

void Reactor::remove(int descriptor, Watch& watch) {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
  if (watch.event_slot_ != Watch::none) {
    events_[watch.event_slot_].data.ptr = nullptr;
    watch.event_slot_ = Watch::none;
  }
  cancel_due(watch);
}

void Reactor::make_due(Watch& watch) {
  if (watch.due_slot_ != Watch::none) return;
  watch.due_slot_ = due_.size();
  due_.push_back(&watch);
  ++due_count_;
}

void Reactor::cancel_due(Watch& watch) {
  if (watch.due_slot_ == Watch::none) return;
  const std::size_t slot = std::exchange(watch.due_slot_, Watch::none);
  std::vector<Watch*>& holder = slot < due_.size() && due_[slot] == &watch ? due_ : due_now_;
  holder[slot] = nullptr;
  --due_count_;
}

void Reactor::run_due() {
  if (due_.empty()) return;
  std::swap(due_, due_now_);
  for (std::size_t i = 0; i < due_now_.size(); ++i) {
    Watch* const watch = due_now_[i];
    if (watch == nullptr) continue;
    watch->due_slot_ = Watch::none;
    --due_count_;
    watch->on_due();
  }
  due_now_.clear();
}

void Reactor::wait(int timeout_ms) {
  if (has_due()) timeout_ms = 0;
  const int count = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
  WEIR_ASSERT(count >= 0 || errno == EINTR);
  ready_ = count < 0 ? 0 : static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < ready_; ++i) static_cast<Watch*>(events_[i].data.ptr)->event_slot_ = i;
}

void Reactor::dispatch() {
  run_due();
  for (std::size_t i = 0; i < ready_; ++i) {
    auto* const watch = static_cast<Watch*>(events_[i].data.ptr);
    if (watch == nullptr) continue;
    watch->event_slot_ = Watch::none;
    watch->on_events(events_[i].events);
  }
  ready_ = 0;
}

}  // namespace weir::runtime
