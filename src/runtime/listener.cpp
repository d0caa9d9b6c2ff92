#include "runtime/listener.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "runtime/address.h"

namespace weir::runtime {
namespace {

constexpr int backlog = 4096;
constexpr int accepts_per_turn_max = 64;
constexpr std::uint64_t retry_ms = 100;
constexpr std::uint64_t log_every_ms = 1'000;

class TcpListener final : public Listener, private Watch, private Timer {
 public:
  TcpListener(Reactor& reactor, TimerWheel& timers, int descriptor, std::uint16_t port,
              std::function<void(Socket)> accepted)
      : reactor_(reactor),
        timers_(timers),
        descriptor_(descriptor),
        port_(port),
        accepted_(std::move(accepted)) {}
  ~TcpListener() override {
    if (gone_ != nullptr) *gone_ = true;
    pause();
    ::close(descriptor_);
  }

  Status begin() { return reactor_.add(descriptor_, *this, EPOLLIN); }
  std::uint16_t port() const override { return port_; }
  void pause() override {
    reactor_.remove(descriptor_, *this);
    timers_.cancel(*this);
    paused_ = true;
  }

 private:
  void on_events(std::uint32_t) override { accept_some(); }
  void on_due() override { accept_some(); }
  void on_timer() override { accept_some(); }
  void accept_some();
  // What accept4 failed with. True to go on at once.
  bool survive(int error);

  Reactor& reactor_;
  TimerWheel& timers_;
  int descriptor_;
  std::uint16_t port_;
  std::function<void(Socket)> accepted_;
  bool paused_ = false;
  bool* gone_ = nullptr;
  std::uint64_t logged_ms_ = 0;
  std::uint64_t failures_ = 0;  // since the last line in the log
};

void TcpListener::accept_some() {
  bool gone = false;
  gone_ = &gone;
  for (int i = 0; i < accepts_per_turn_max && !paused_; ++i) {
    SocketAddress remote;
    const int connection = ::accept4(descriptor_, remote.get(), &remote.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection < 0) {
      if (survive(errno)) continue;
      gone_ = nullptr;
      return;
    }
    accepted_(Socket(connection, peer_info_of(connection)));
    if (gone) return;
  }
  gone_ = nullptr;
  if (!paused_) reactor_.make_due(*this);
}

bool TcpListener::survive(int error) {
  switch (error) {
    case EAGAIN: return false;
    // The connection died while it was waiting, or was refused by a packet filter: the next one.
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH: return true;
    default: break;
  }
  // Out of descriptors or memory: there is no edge when that is over, so ask again.
  ++failures_;
  const std::uint64_t now_ms = timers_.now_ms();
  if (logged_ms_ == 0 || now_ms - logged_ms_ >= log_every_ms) {
    log_error("listener", "port {}: accept failed {} times: {}", port_, failures_, std::strerror(error));
    logged_ms_ = now_ms;
    failures_ = 0;
  }
  timers_.arm(*this, retry_ms);
  return false;
}

Result<int> open_socket(const SocketAddress& address, bool dual_stack, const std::string& text) {
  const int descriptor = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor < 0) return fail_errno(errno, "listen on " + text);
  const int on = 1;
  const int v6_only = dual_stack ? 0 : 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.family() == AF_INET6)
    ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
  if (::bind(descriptor, address.get(), address.length) != 0 || ::listen(descriptor, backlog) != 0) {
    const int error = errno;
    ::close(descriptor);
    return fail_errno(error, "listen on " + text);
  }
  return descriptor;
}

SocketAddress any_address(int family, std::uint16_t port) {
  SocketAddress address;
  address.storage.ss_family = static_cast<sa_family_t>(family);
  address.length = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  address.set_port(port);
  return address;
}

bool ipv6_is_there() {
  const int descriptor = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor < 0) return false;
  ::close(descriptor);
  return true;
}

Result<int> open_listening(const std::string& text) {
  const Result<HostPort> where = parse_host_port(text);
  if (!where) return std::unexpected(where.error());
  if (where->host.empty()) {
    const bool has_v6 = ipv6_is_there();
    return open_socket(any_address(has_v6 ? AF_INET6 : AF_INET, where->port), has_v6, text);
  }
  const Result<std::vector<SocketAddress>> found = resolve(*where, true);
  if (!found) return std::unexpected(found.error());
  const auto v4 =
      std::find_if(found->begin(), found->end(), [](const auto& a) { return a.family() == AF_INET; });
  return open_socket(v4 != found->end() ? *v4 : found->front(), false, text);
}

}  // namespace

Result<std::unique_ptr<Listener>> make_listener(Reactor& reactor, TimerWheel& timers,
                                                const std::string& address,
                                                std::function<void(Socket)> accepted) {
  const Result<int> descriptor = open_listening(address);
  if (!descriptor) return std::unexpected(descriptor.error());
  SocketAddress bound;
  ::getsockname(*descriptor, bound.get(), &bound.length);
  auto listener =
      std::make_unique<TcpListener>(reactor, timers, *descriptor, bound.port(), std::move(accepted));
  WEIR_TRY(listener->begin());
  return listener;
}

}  // namespace weir::runtime
