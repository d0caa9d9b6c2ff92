// What it is: a two-way stream of bytes that hides what carries it: TCP, TLS over TCP, or a pair in memory.
// Readiness style: the stream says that there may be something to read; the handler reads until would-block.
// Shard: a stream lives on the shard whose loop it was opened on; all calls and callbacks are there.
// Lifetime: the handler outlives the stream, or calls close() and destroys the stream first. A stream may be
// destroyed inside of its own callback.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace weir::runtime {

struct PeerInfo {
  std::string address;  // numeric, without port
  std::uint16_t port = 0;
  std::string local_address;
  std::uint16_t local_port = 0;
  bool loopback = false;
  bool tls = false;
  std::string tls_version;  // "TLSv1.3"; empty without TLS
  std::string tls_cipher;
  std::string certificate_subject;  // of a verified client certificate, RFC 2253; else empty
};

class StreamHandler {
 public:
  // There may be bytes: call read() until it returns 0.
  virtual void on_readable() = 0;
  // After a write() that took less than all: there is room again.
  virtual void on_writable() = 0;
  // The peer closed, or the stream failed. Comes once, never after close(). Unread bytes were offered before.
  virtual void on_closed(const Error& reason) = 0;

 protected:
  ~StreamHandler() = default;
};

class ByteStream {
 public:
  virtual ~ByteStream() = default;

  // Begins the callbacks. Once.
  virtual void open(StreamHandler& handler) = 0;
  // Bytes read; 0 = nothing there now. An error closes: on_closed follows from the loop, not from inside this call.
  virtual Result<std::size_t> read(MutableBytes into) = 0;
  // Gathered write of as much as fits. Bytes taken; less than all = on_writable follows.
  virtual Result<std::size_t> write(std::span<const Bytes> pieces) = 0;
  // While paused, on_readable does not come and the kernel's buffer pushes back on the peer.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
  // Sends what write() took, then closes. No callback follows.
  virtual void close() = 0;
  virtual const PeerInfo& peer() const = 0;
};

// Pieces in one gathered write; more are left for the next call.
inline constexpr std::size_t write_pieces_max = 512;

// Two ends of a stream in memory, for wire tests and the simulator. `capacity` bounds the bytes in each direction.
// Callbacks come only from pump(), so that the caller decides the order.
class MemoryPair {
 public:
  virtual ~MemoryPair() = default;
  virtual std::unique_ptr<ByteStream> take_left() = 0;
  virtual std::unique_ptr<ByteStream> take_right() = 0;
  // Runs callbacks until none is due; returns how many it ran. `bytes_max` limits what one on_readable can read.
  virtual std::size_t pump(std::size_t bytes_max = SIZE_MAX) = 0;
};
std::unique_ptr<MemoryPair> make_memory_pair(std::size_t capacity, PeerInfo left_peer = {},
                                             PeerInfo right_peer = {});

}  // namespace weir::runtime
