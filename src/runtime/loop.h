// What it is: the event loop of one shard. A turn: what sockets, disk, timers and posted calls have for us is handled,
// then TurnHandler::end_turn() runs once: that is where batches leave (other shards, the journal, the sockets).
// Shard: run() makes the calling thread the shard's; post() and wake() are for any thread, the rest for that thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "runtime/disk.h"
#include "runtime/stream.h"
#include "runtime/timers.h"

namespace weir::runtime {

class TurnHandler {
 public:
  // Takes what other shards sent. True if there was something.
  virtual bool begin_turn() = 0;
  virtual void end_turn() = 0;

 protected:
  ~TurnHandler() = default;
};

// What goes to the disk by io_uring; the rest, by helper threads.
enum class KernelRing : std::uint8_t { no, reads, all };

// Makes the pieces of the loop that have several kinds.
struct LoopOptions {
  KernelRing ring = KernelRing::reads;
  bool threads_instead = true;  // where the kernel refuses io_uring; false: make() fails then (unsupported)
  std::size_t read_chunk_bytes = 512U << 10;  // that one stream may read in one turn
};

class TlsContext;  // runtime/tls.h

// An accepted or connected socket on its way to a loop. Owns the descriptor.
class Socket {
 public:
  Socket() = default;
  Socket(int descriptor, PeerInfo peer) : descriptor_(descriptor), peer_(std::move(peer)) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();
  int release();
  bool valid() const { return descriptor_ >= 0; }
  const PeerInfo& peer() const { return peer_; }

 private:
  int descriptor_ = -1;
  PeerInfo peer_;
};

class Listener {
 public:
  virtual ~Listener() = default;  // stops listening
  virtual std::uint16_t port() const = 0;
  virtual void pause() = 0;  // stop accepting for now (descriptors exhausted, shutting down)
};

class Loop {
 public:
  // On the thread of run(), after it, or where run() never was. Streams and listeners are destroyed before.
  virtual ~Loop() = default;
  static Result<std::unique_ptr<Loop>> make(LoopOptions options = {});

  // Until stop(). `handler` may be null (a client has no turns).
  virtual void run(TurnHandler* handler) = 0;
  virtual void stop() = 0;                            // any thread
  virtual void post(std::function<void()> call) = 0;  // any thread
  virtual void wake() = 0;                            // any thread; cheap when already awake

  virtual Clock& clock() = 0;
  virtual TimerWheel& timers() = 0;
  virtual Disk& disk() = 0;

  // `address` is "host:port", "[v6]:port" or ":port" (all addresses of IPv4 and IPv6); port 0 takes a free one.
  // A host that is both is IPv4; "[::]:port" is IPv6 alone. Accepts on this loop; `accepted` is called on it.
  virtual Result<std::unique_ptr<Listener>> listen(const std::string& address,
                                                   std::function<void(Socket)> accepted) = 0;
  virtual std::unique_ptr<ByteStream> adopt(Socket socket) = 0;
  // Server side of a handshake; on_readable comes only after it, on_closed when it fails or takes over 10 s.
  virtual std::unique_ptr<ByteStream> adopt_tls(Socket socket, TlsContext& context) = 0;
  // Client side. Resolves and connects (blocking, for the command line's clients).
  static Result<Socket> connect_now(const std::string& host, std::uint16_t port);
  virtual std::unique_ptr<ByteStream> adopt_tls_client(Socket socket, TlsContext& context,
                                                       const std::string& host) = 0;
  // SIGTERM and SIGINT call `handler` on this loop.
  virtual void on_termination(std::function<void()> handler) = 0;
};

// The real clocks.
Clock& system_clock();

}  // namespace weir::runtime
