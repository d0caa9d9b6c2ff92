// What it is: readiness of descriptors by epoll, edge-triggered. A descriptor is registered once, for both directions,
// and costs no system call after that; what is ready, and what asked for another turn, is told by dispatch().
// Shard: all on the loop's thread.
// Lifetime: a Watch that is registered or due is removed before it is destroyed, also from inside of its own callback.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/error.h"

namespace weir::runtime {

class Watch {
 public:
  virtual void on_events(std::uint32_t epoll_events) = 0;
  // After Reactor::make_due().
  virtual void on_due() {}

 protected:
  ~Watch() = default;

 private:
  friend class Reactor;
  static constexpr std::size_t none = SIZE_MAX;
  std::size_t event_slot_ = none;  // in the batch that is being told
  std::size_t due_slot_ = none;
};

class Reactor {
 public:
  static constexpr std::size_t events_max = 256;  // per wait(), so that a turn ends soon

  Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  ~Reactor();

  // `events` besides EPOLLET; what is ready already is in the next wait().
  Status add(int descriptor, Watch& watch, std::uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP);
  // Before the descriptor is closed.
  void remove(int descriptor, Watch& watch);
  // on_due() comes in the next dispatch(), and the wait() before it does not block.
  void make_due(Watch& watch);
  void cancel_due(Watch& watch);
  bool has_due() const { return due_count_ > 0; }

  // What wait() found, until it was told.
  std::size_t ready_count() const { return ready_; }

  // Blocks at most `timeout_ms` (-1: without end) until something is ready.
  void wait(int timeout_ms);
  // Tells what is due, then what wait() found ready.
  void dispatch();

 private:
  void run_due();

  int epoll_ = -1;
  std::array<epoll_event, events_max> events_{};  // a null pointer in one: its watch was removed
  std::size_t ready_ = 0;
  std::vector<Watch*> due_;      // null: cancelled
  std::vector<Watch*> due_now_;  // being told
  std::size_t due_count_ = 0;
};

}  // namespace weir::runtime
