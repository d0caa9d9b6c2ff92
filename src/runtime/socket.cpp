#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "runtime/address.h"
#include "runtime/loop.h"

namespace weir::runtime {

Socket::Socket(Socket&& other) noexcept : descriptor_(other.release()), peer_(std::move(other.peer_)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = other.release();
    peer_ = std::move(other.peer_);
  }
  return *this;
}

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int Socket::release() { return std::exchange(descriptor_, -1); }

namespace {

// A signal interrupts only the waiting: the connection goes on. Leaves the reason of a failure in errno.
bool finish_connect(int descriptor) {
  pollfd wanted{.fd = descriptor, .events = POLLOUT, .revents = 0};
  while (::poll(&wanted, 1, -1) < 0) {
    if (errno != EINTR) return false;
  }
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return false;
  errno = error;
  return error == 0;
}

}  // namespace

Result<Socket> Loop::connect_now(const std::string& host, std::uint16_t port) {
  const Result<std::vector<SocketAddress>> addresses = resolve({host, port}, false);
  if (!addresses) return std::unexpected(addresses.error());
  Error last{ErrorCode::not_found, host + ": has no address"};
  for (const SocketAddress& address : *addresses) {
    const std::string name = host + ":" + std::to_string(port) + " (" + address.host() + ")";
    const int descriptor = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
    if (descriptor < 0) {
      last = errno_error(errno, "socket");
      continue;
    }
    Socket owned(descriptor, {});
    if (::connect(descriptor, address.get(), address.length) == 0 ||
        (errno == EINTR && finish_connect(descriptor))) {
      return Socket(owned.release(), peer_info_of(descriptor));
    }
    last = errno_error(errno, "connect to " + name);
  }
  return std::unexpected(std::move(last));
}

}  // namespace weir::runtime
