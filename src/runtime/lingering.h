// What it is: sockets that are closed but whose last bytes are still on their way. Closing a socket that has unread
// input makes the kernel reset the connection, and the peer would lose the answer that explains the close. So: send
// the rest, shut down our direction, throw away what comes until the peer closes, all of it bounded in time.
// Shard: the loop's thread.
#pragma once

#include <cstddef>
#include <list>
#include <vector>

#include "runtime/reactor.h"
#include "runtime/timers.h"

namespace weir::runtime {

class Lingering {
 public:
  static constexpr std::size_t sockets_max = 4096;      // beyond it sockets are closed at once
  static constexpr std::uint64_t quiet_ms_max = 1'000;  // without progress
  static constexpr std::uint64_t total_ms_max = 10'000;

  Lingering(Reactor& reactor, TimerWheel& timers);
  Lingering(const Lingering&) = delete;
  Lingering& operator=(const Lingering&) = delete;
  ~Lingering();

  // Takes the descriptor over; it is not registered with the reactor.
  void take(int descriptor, std::vector<std::byte> unsent);
  std::size_t count() const { return rests_.size(); }

 private:
  class Rest;

  Reactor& reactor_;
  TimerWheel& timers_;
  std::list<Rest> rests_;
};

}  // namespace weir::runtime
