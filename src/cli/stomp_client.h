// What it is: a client's STOMP 1.2 connection: CONNECT, frames in and out, an orderly end with a receipt. What it is for
// is its owner's matter: see StompEvents.
// Shard: that of the loop which its stream belongs to.
// Lifetime: `events` outlives it.
// Errors: everything that ends the connection before close() comes once, as on_failed().
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "cli/bench_options.h"
#include "cli/wire_client.h"
#include "protocol/stomp/codec/frame_reader.h"

namespace weir::cli {

using StompHeaders = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// A frame without a body.
std::string stomp_frame(std::string_view command, StompHeaders headers);

class StompEvents {
 public:
  virtual void on_ready() = 0;
  // Bytes were read: their frames follow, then on_input_end(), which is the place to write.
  virtual void on_input_begin() = 0;
  virtual void on_receipt(std::string_view id) = 0;
  virtual void on_message(const stomp::Headers& headers, Bytes body) = 0;
  virtual void on_input_end() = 0;
  virtual void on_output_room() {}
  virtual void on_failed(const Error& error) = 0;
  virtual void on_closed() = 0;  // close() has been answered

 protected:
  ~StompEvents() = default;
};

class StompClient final : WireEvents {
 public:
  // `body_bytes_max`: of what is received.
  StompClient(const BenchServer& server, std::size_t body_bytes_max, StompEvents& events);

  void start(std::unique_ptr<runtime::ByteStream> stream);
  bool may_write() const { return state_ == State::open && wire_.output().idle(); }
  void queue_bytes(Bytes bytes) { wire_.output().queue(bytes); }
  void append(std::string_view frame);
  void flush() { wire_.flush(); }
  // Says goodbye; on_closed() or on_failed() follows.
  void close();

 private:
  enum class State : std::uint8_t { connecting, open, closing, closed };

  std::size_t on_input(Bytes input) override;
  void on_output_room() override { events_.on_output_room(); }
  void on_lost(const Error& error) override;
  void on_frame();
  void fail_with(std::string what);

  std::string connect_;
  stomp::FrameLimits limits_;
  StompEvents& events_;
  WireClient wire_;
  stomp::FrameReader reader_;
  State state_ = State::connecting;
};

}  // namespace weir::cli
