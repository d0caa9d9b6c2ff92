#include "runtime/lingering.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace weir::runtime {

class Lingering::Rest final : public Watch, public Timer {
 public:
  Rest(Lingering& owner, int descriptor, std::vector<std::byte> unsent)
      : owner_(owner),
        descriptor_(descriptor),
        unsent_(std::move(unsent)),
        end_ms_(owner.timers_.now_ms() + total_ms_max) {}
  Rest(const Rest&) = delete;
  Rest& operator=(const Rest&) = delete;
  ~Rest() {
    owner_.reactor_.remove(descriptor_, *this);
    ::close(descriptor_);
  }

  void begin(std::list<Rest>::iterator place) {
    place_ = place;
    owner_.timers_.arm(*this, quiet_ms_max);
    if (!owner_.reactor_.add(descriptor_, *this) || !send_rest()) finish();
  }
  void on_events(std::uint32_t) override {
    if (!send_rest() || !discard_input()) finish();
  }
  void on_due() override { on_events(0); }
  void on_timer() override { finish(); }

 private:
  static constexpr std::size_t discard_bytes = 1U << 20;

  void finish() { owner_.rests_.erase(place_); }

  void progress() {
    const std::uint64_t now_ms = owner_.timers_.now_ms();
    owner_.timers_.arm(*this, std::min(quiet_ms_max, end_ms_ > now_ms ? end_ms_ - now_ms : 0));
  }

  // False when the socket failed.
  bool send_rest() {
    while (sent_ < unsent_.size()) {
      const ssize_t count = ::send(descriptor_, unsent_.data() + sent_, unsent_.size() - sent_, MSG_NOSIGNAL);
      if (count < 0) return errno == EAGAIN || errno == EINTR;
      sent_ += static_cast<std::size_t>(count);
      progress();
    }
    if (std::exchange(shut_down_, true)) return true;
    return ::shutdown(descriptor_, SHUT_WR) == 0;
  }

  // False at the end of input.
  bool discard_input() {
    const ssize_t count = ::recv(descriptor_, nullptr, discard_bytes, MSG_TRUNC | MSG_DONTWAIT);
    if (count == 0) return false;
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    owner_.reactor_.make_due(*this);
    return true;
  }

  Lingering& owner_;
  int descriptor_;
  std::vector<std::byte> unsent_;
  std::size_t sent_ = 0;
  bool shut_down_ = false;
  std::uint64_t end_ms_;
  std::list<Rest>::iterator place_;
};

Lingering::Lingering(Reactor& reactor, TimerWheel& timers) : reactor_(reactor), timers_(timers) {}
Lingering::~Lingering() = default;

void Lingering::take(int descriptor, std::vector<std::byte> unsent) {
  if (rests_.size() >= sockets_max) {
    ::close(descriptor);
    return;
  }
  rests_.emplace_front(*this, descriptor, std::move(unsent));
  rests_.front().begin(rests_.begin());
}

}  // namespace weir::runtime
