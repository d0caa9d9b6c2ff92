#include "runtime/systemd_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace weir::runtime {

Status notify_service_manager(std::string_view state) {
  const char* variable = std::getenv("NOTIFY_SOCKET");
  if (variable == nullptr || *variable == '\0') return {};
  const std::string_view path = variable;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool is_path = path.front() == '/', is_abstract = path.front() == '@';
  if ((!is_path && !is_abstract) || path.size() >= sizeof address.sun_path) {
    return fail(ErrorCode::invalid_argument, "NOTIFY_SOCKET is not the address of a local socket");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (is_abstract) address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());

  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return fail_errno(errno, "socket for the service manager");
  const ssize_t sent = ::sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address), length);
  const int saved_errno = errno;
  ::close(descriptor);
  if (sent < 0) return fail_errno(saved_errno, "send to the service manager");
  return {};
}

}  // namespace weir::runtime
