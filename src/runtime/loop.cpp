#include "runtime/loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <ctime>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/log.h"
#include "runtime/lingering.h"
#include "runtime/listener.h"
#include "runtime/reactor.h"
#include "runtime/real_disk.h"
#include "runtime/socket_stream.h"
#include "runtime/termination.h"
#include "runtime/tls_stream.h"

namespace weir::runtime {
namespace {

class SystemClock final : public Clock {
 public:
  std::uint64_t monotonic_ns() const override { return read(CLOCK_MONOTONIC); }
  std::uint64_t wall_ms() const override { return read(CLOCK_REALTIME) / 1'000'000; }

 private:
  static std::uint64_t read(clockid_t which) {
    timespec now{};
    ::clock_gettime(which, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
  }
};

std::uint64_t now_ms() { return system_clock().monotonic_ns() / 1'000'000; }

// An eventfd whose edges end a wait(); it is never read.
class Doorbell final : public Watch {
 public:
  void on_events(std::uint32_t) override {}
};

class EpollLoop final : public Loop {
 public:
  explicit EpollLoop(LoopOptions options)
      : options_(options), timers_(now_ms()), wake_event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~EpollLoop() override;

  Status begin();
  void run(TurnHandler* handler) override;
  void stop() override;
  void post(std::function<void()> call) override;
  void wake() override;
  Clock& clock() override { return system_clock(); }
  TimerWheel& timers() override { return timers_; }
  Disk& disk() override;
  Result<std::unique_ptr<Listener>> listen(const std::string& address,
                                           std::function<void(Socket)> accepted) override;
  std::unique_ptr<ByteStream> adopt(Socket socket) override;
  std::unique_ptr<ByteStream> adopt_tls(Socket socket, TlsContext& context) override;
  std::unique_ptr<ByteStream> adopt_tls_client(Socket socket, TlsContext& context,
                                               const std::string& host) override;
  void on_termination(std::function<void()> handler) override;

 private:
  void use_disk(std::unique_ptr<RealDisk> disk);
  void turn(TurnHandler* handler);
  void wait();
  int timeout_ms() const;
  void run_posted();
  bool here() const { return !running_.load() || owner_ == std::this_thread::get_id(); }

  const LoopOptions options_;
  Reactor reactor_;
  TimerWheel timers_;
  Lingering lingering_{reactor_, timers_};
  SocketContext sockets_{reactor_, timers_, lingering_, options_.read_chunk_bytes};
  Doorbell wake_bell_;
  Doorbell disk_bell_;
  int wake_event_;
  std::unique_ptr<RealDisk> disk_;
  std::unique_ptr<Termination> termination_;
  std::atomic<bool> running_{false};
  std::thread::id owner_;

  // wake() sets woken_, then looks at sleeping_; the loop sets sleeping_, then looks at woken_: one of them sees the
  // other, so a wake-up is never lost and an awake loop costs no system call.
  std::atomic<bool> woken_{false};
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> stopping_{false};

  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  std::vector<std::function<void()>> running_posted_;
};

Status EpollLoop::begin() {
  if (wake_event_ < 0) return fail_errno(errno, "eventfd");
  WEIR_TRY(reactor_.add(wake_event_, wake_bell_, EPOLLIN));
  if (options_.ring == KernelRing::no || options_.threads_instead) return {};
  Result<std::unique_ptr<RealDisk>> made = make_real_disk({.ring = options_.ring});
  if (!made) return std::unexpected(std::move(made).error());
  use_disk(std::move(*made));
  return {};
}

EpollLoop::~EpollLoop() {
  if (disk_ != nullptr) reactor_.remove(disk_->event(), disk_bell_);
  if (wake_event_ >= 0) {
    reactor_.remove(wake_event_, wake_bell_);
    ::close(wake_event_);
  }
}

void EpollLoop::run(TurnHandler* handler) {
  owner_ = std::this_thread::get_id();
  running_ = true;
  while (!stopping_.load(std::memory_order_acquire)) turn(handler);
  running_ = false;
  stopping_ = false;
}

void EpollLoop::turn(TurnHandler* handler) {
  wait();
  // A shard with several sockets to look after does not keep them waiting for the disk.
  if (disk_ != nullptr && disk_->holds_write() && reactor_.ready_count() > 1) disk_->hand_over();
  const std::uint64_t now = now_ms();
  timers_.set_now(now);
  reactor_.dispatch();
  run_posted();
  if (handler != nullptr) handler->begin_turn();
  timers_.advance(now);
  if (disk_ != nullptr) disk_->poll();
  if (handler != nullptr) handler->end_turn();
  if (disk_ != nullptr) disk_->submit();
}

void EpollLoop::wait() {
  const bool more = reactor_.has_due() || (disk_ != nullptr && disk_->holds_write());
  int timeout = more ? 0 : timeout_ms();
  if (timeout != 0) {
    sleeping_.store(true);
    if (woken_.load()) timeout = 0;
  }
  reactor_.wait(timeout);
  sleeping_.store(false, std::memory_order_relaxed);
  // Before the mailboxes are looked at: what comes after that look sets it again.
  if (woken_.load(std::memory_order_relaxed)) woken_.exchange(false);
}

int EpollLoop::timeout_ms() const {
  const std::optional<std::uint64_t> due = timers_.next_due_ms();
  if (!due) return -1;
  const std::uint64_t now = now_ms();
  return *due <= now ? 0 : static_cast<int>(std::min<std::uint64_t>(*due - now, INT_MAX));
}

void EpollLoop::run_posted() {
  {
    const std::lock_guard guard(posted_mutex_);
    if (posted_.empty()) return;
    std::swap(posted_, running_posted_);
  }
  for (std::function<void()>& call : running_posted_) call();
  running_posted_.clear();
}

void EpollLoop::stop() {
  stopping_.store(true, std::memory_order_release);
  wake();
}

void EpollLoop::post(std::function<void()> call) {
  {
    const std::lock_guard guard(posted_mutex_);
    posted_.push_back(std::move(call));
  }
  wake();
}

void EpollLoop::wake() {
  if (woken_.exchange(true)) return;
  if (!sleeping_.load()) return;
  const std::uint64_t one = 1;
  const ssize_t written = ::write(wake_event_, &one, sizeof one);
  WEIR_ASSERT(written == sizeof one);
}

Disk& EpollLoop::disk() {
  if (disk_ != nullptr) return *disk_;
  Result<std::unique_ptr<RealDisk>> made = make_real_disk({.ring = options_.ring});
  if (!made) {
    log_info("disk", "helper threads instead of io_uring: {}", made.error().message);
    made = make_real_disk({.ring = KernelRing::no});
  }
  use_disk(std::move(*made));
  return *disk_;
}

void EpollLoop::use_disk(std::unique_ptr<RealDisk> disk) {
  disk_ = std::move(disk);
  const Status added = reactor_.add(disk_->event(), disk_bell_, EPOLLIN);
  WEIR_ASSERT(added.has_value());
}

Result<std::unique_ptr<Listener>> EpollLoop::listen(const std::string& address,
                                                    std::function<void(Socket)> accepted) {
  WEIR_ASSERT(here());
  return make_listener(reactor_, timers_, address, std::move(accepted));
}

std::unique_ptr<ByteStream> EpollLoop::adopt(Socket socket) {
  WEIR_ASSERT(here());
  return make_tcp_stream(sockets_, std::move(socket));
}

std::unique_ptr<ByteStream> EpollLoop::adopt_tls(Socket socket, TlsContext& context) {
  WEIR_ASSERT(here());
  return make_tls_server_stream(sockets_, std::move(socket), context);
}

std::unique_ptr<ByteStream> EpollLoop::adopt_tls_client(Socket socket, TlsContext& context,
                                                        const std::string& host) {
  WEIR_ASSERT(here());
  return make_tls_client_stream(sockets_, std::move(socket), context, host);
}

void EpollLoop::on_termination(std::function<void()> handler) {
  termination_ = std::make_unique<Termination>(reactor_, std::move(handler));
}

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

Result<std::unique_ptr<Loop>> Loop::make(LoopOptions options) {
  auto loop = std::make_unique<EpollLoop>(options);
  WEIR_TRY(loop->begin());
  return loop;
}

}  // namespace weir::runtime
