// What it is: SIGTERM and SIGINT as events of a loop. Private to runtime. One loop of the process has it.
#pragma once

#include <functional>

#include "runtime/reactor.h"

namespace weir::runtime {

class Termination final : private Watch {
 public:
  Termination(Reactor& reactor, std::function<void()> handler);
  Termination(const Termination&) = delete;
  Termination& operator=(const Termination&) = delete;
  ~Termination();

 private:
  void on_events(std::uint32_t) override { handler_(); }

  Reactor& reactor_;
  std::function<void()> handler_;
  int event_;
};

}  // namespace weir::runtime
