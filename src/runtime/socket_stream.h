// What it is: what TCP and TLS streams share: readiness, fairness between streams, failure and close.
// Shard: the loop's thread.
// A short read means that the kernel has no more, so that the next read waits for an edge without a system call. An
// edge that tells of the peer's close or of an error comes once, before we have read what lies in front of it: then
// reading goes on to the end.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/lingering.h"
#include "runtime/loop.h"
#include "runtime/reactor.h"
#include "runtime/stream.h"
#include "runtime/timers.h"

namespace weir::runtime {

// What the streams of one loop share.
struct SocketContext {
  Reactor& reactor;
  TimerWheel& timers;
  Lingering& lingering;
  std::size_t read_budget_bytes;     // of one stream in one turn
  std::vector<std::byte> scratch{};  // lent for the time of a call
};

class SocketStream : public ByteStream, private Watch {
 public:
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;

  void open(StreamHandler& handler) final;
  void pause_reading() final;
  void resume_reading() final;
  void close() final;
  const PeerInfo& peer() const final { return peer_; }

 protected:
  SocketStream(SocketContext& context, Socket socket);
  ~SocketStream() override;

  // Bytes received; 0: nothing there now, or the stream failed, which is in failure().
  std::size_t receive(MutableBytes into);
  // Bytes that the kernel took; fewer than all: it is full, or the stream failed. `pieces` is used up.
  std::size_t send(std::span<iovec> pieces);

  void fail_later(Error reason);  // on_closed comes from the loop; the socket itself may be well
  const std::optional<Error>& failure() const { return failure_; }
  bool paused() const { return paused_; }
  bool may_read() const { return !paused_ && readable_; }
  bool send_blocked() const { return send_blocked_; }
  void want_room() { wants_room_ = true; }
  // The next turn offers on_readable, though no edge comes: bytes lie in this process.
  void offer_again();
  SocketContext& context() { return context_; }
  PeerInfo& mutable_peer() { return peer_; }
  std::size_t budget() const { return budget_; }
  // The handler took bytes.
  void spend(std::size_t bytes) {
    budget_ -= bytes;
    read_some_ = read_some_ || bytes > 0;
  }

  // Before callbacks: the derived stream's own work on the socket. False: no callbacks yet.
  virtual bool prepare() { return true; }
  // Bytes that write() took and that lie in this process.
  virtual bool has_unread() const { return false; }
  virtual bool has_unsent() const { return false; }
  virtual std::vector<std::byte> take_unsent() { return {}; }

 private:
  void on_events(std::uint32_t events) final;
  void on_due() final { progress(); }
  void progress();
  void socket_failed(Error reason);
  void tell_closed();
  void release();

  SocketContext& context_;
  int descriptor_;
  PeerInfo peer_;
  StreamHandler* handler_ = nullptr;
  std::optional<Error> failure_;
  std::size_t budget_;
  bool* gone_ = nullptr;  // set by the destructor, for the callback that caused it
  bool opened_ = false;
  bool readable_ = false;
  bool hung_up_ = false;
  bool paused_ = false;
  bool send_blocked_ = false;
  bool wants_room_ = false;
  bool broken_ =
      false;  // the socket ended or failed: nothing more can be sent on it, or nothing more will be read
  bool read_some_ = false;  // the handler took bytes in the current callback
};

std::unique_ptr<ByteStream> make_tcp_stream(SocketContext& context, Socket socket);

}  // namespace weir::runtime
