#include "runtime/termination.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/assert.h"

namespace weir::runtime {
namespace {

std::atomic<int> event_of_process{-1};

void on_signal(int) {
  const int saved_errno = errno;
  const std::uint64_t one = 1;
  const int event = event_of_process.load();
  if (event >= 0 && ::write(event, &one, sizeof one) < 0) {
    // Only a full counter refuses, and then the loop has been told.
  }
  errno = saved_errno;
}

void set_handlers(void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
}

}  // namespace

Termination::Termination(Reactor& reactor, std::function<void()> handler)
    : reactor_(reactor), handler_(std::move(handler)), event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  WEIR_ASSERT(event_ >= 0);
  const Status added = reactor_.add(event_, *this, EPOLLIN);
  WEIR_ASSERT(added.has_value());
  int nobody = -1;
  WEIR_ASSERT(event_of_process.compare_exchange_strong(nobody, event_));
  set_handlers(on_signal);
}

Termination::~Termination() {
  set_handlers(SIG_DFL);
  event_of_process.store(-1);
  reactor_.remove(event_, *this);
  ::close(event_);
}

}  // namespace weir::runtime
