#include "runtime/socket_stream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/assert.h"

namespace weir::runtime {

namespace {

Error socket_error(int saved_errno, std::string_view what) {
  switch (saved_errno) {
    case 0: return {ErrorCode::closed, "the peer closed the connection"};
    case EPIPE:
    case ECONNRESET: return {ErrorCode::closed, "the peer reset the connection"};
    case ETIMEDOUT: return {ErrorCode::closed, "the peer does not answer any more"};
    default: return errno_error(saved_errno, what);
  }
}

}  // namespace

SocketStream::SocketStream(SocketContext& context, Socket socket)
    : context_(context), descriptor_(-1), peer_(socket.peer()), budget_(context.read_budget_bytes) {
  descriptor_ = socket.release();
  ::fcntl(descriptor_, F_SETFL, ::fcntl(descriptor_, F_GETFL) | O_NONBLOCK);
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // A peer that vanished without a word, on a connection without heartbeats, is found out some day.
  ::setsockopt(descriptor_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

SocketStream::~SocketStream() {
  WEIR_ASSERT(descriptor_ < 0);  // the derived destructor closes
  if (gone_ != nullptr) *gone_ = true;
}

void SocketStream::open(StreamHandler& handler) {
  WEIR_ASSERT(!opened_ && descriptor_ >= 0);
  opened_ = true;
  handler_ = &handler;
  if (Status added = context_.reactor.add(descriptor_, *this); !added)
    socket_failed(std::move(added).error());
  context_.reactor.make_due(*this);
}

void SocketStream::on_events(std::uint32_t events) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) send_blocked_ = false;
  if ((events & (EPOLLHUP | EPOLLERR)) != 0 && paused_) {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &length);
    socket_failed(socket_error(error, "connection"));
  }
  progress();
}

void SocketStream::progress() {
  bool gone = false;
  gone_ = &gone;
  budget_ = context_.read_budget_bytes;
  const bool callbacks = prepare();
  if (callbacks && handler_ != nullptr && wants_room_ && !send_blocked_ && !has_unsent() && !failure_) {
    wants_room_ = false;
    handler_->on_writable();
    if (gone) return;
  }
  if (callbacks && handler_ != nullptr && !paused_ && (readable_ || has_unread())) {
    read_some_ = false;
    handler_->on_readable();
    if (gone) return;
    // What is left is offered in the next turn; but not to a handler that ignores it when the stream has failed.
    if (handler_ != nullptr && !paused_ && (readable_ || has_unread()) && (read_some_ || !failure_)) {
      context_.reactor.make_due(*this);
      gone_ = nullptr;
      return;
    }
  }
  gone_ = nullptr;
  if (handler_ != nullptr && failure_) tell_closed();
}

void SocketStream::tell_closed() {
  StreamHandler& handler = *std::exchange(handler_, nullptr);
  const Error reason = *failure_;
  release();
  handler.on_closed(reason);
}

void SocketStream::release() {
  context_.reactor.remove(descriptor_, *this);
  std::vector<std::byte> unsent = take_unsent();
  const int descriptor = std::exchange(descriptor_, -1);
  if (broken_) {
    ::close(descriptor);
  } else {
    context_.lingering.take(descriptor, std::move(unsent));
  }
}

void SocketStream::pause_reading() { paused_ = true; }

void SocketStream::resume_reading() {
  if (!paused_) return;
  paused_ = false;
  if (opened_ && descriptor_ >= 0 && (readable_ || has_unread())) context_.reactor.make_due(*this);
}

void SocketStream::offer_again() {
  if (opened_ && descriptor_ >= 0) context_.reactor.make_due(*this);
}

void SocketStream::close() {
  handler_ = nullptr;
  if (descriptor_ >= 0) release();
}

void SocketStream::socket_failed(Error reason) {
  broken_ = true;
  fail_later(std::move(reason));
}

void SocketStream::fail_later(Error reason) {
  if (!failure_) failure_ = std::move(reason);
  if (opened_ && descriptor_ >= 0) context_.reactor.make_due(*this);
}

std::size_t SocketStream::receive(MutableBytes into) {
  while (readable_ && descriptor_ >= 0 && !into.empty()) {
    const ssize_t count = ::recv(descriptor_, into.data(), into.size(), 0);
    if (count > 0) {
      if (static_cast<std::size_t>(count) < into.size() && !hung_up_) readable_ = false;
      return static_cast<std::size_t>(count);
    }
    if (count < 0 && errno == EINTR) continue;
    readable_ = false;
    if (count == 0 || errno != EAGAIN) socket_failed(socket_error(count == 0 ? 0 : errno, "recv"));
  }
  return 0;
}

std::size_t SocketStream::send(std::span<iovec> pieces) {
  std::size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  while (!send_blocked_ && descriptor_ >= 0 && total > 0) {
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    const ssize_t count = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
    if (count >= 0) {
      if (static_cast<std::size_t>(count) < total) send_blocked_ = true;
      return static_cast<std::size_t>(count);
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      send_blocked_ = true;
    } else {
      socket_failed(socket_error(errno, "send"));
      return 0;
    }
  }
  return 0;
}

}  // namespace weir::runtime
