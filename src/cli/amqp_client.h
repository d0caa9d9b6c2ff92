// What it is: a client's AMQP 0-9-1 connection with one channel: handshake, framing, gathered output, heartbeats and
// an orderly end. What the channel is for is its owner's matter: see ClientEvents.
// Shard: that of the loop which its stream belongs to.
// Lifetime: `events` outlives the client.
// Errors: everything that ends the connection before close() comes once, as on_failed().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "cli/gathered_output.h"
#include "protocol/amqp091/codec/frame.h"
#include "protocol/amqp091/codec/method_codec.h"
#include "runtime/loop.h"
#include "runtime/stream.h"

namespace weir::cli {

inline constexpr std::uint16_t client_channel = 1;

class ClientEvents {
 public:
  // The channel is open.
  virtual void on_ready() = 0;
  // Bytes were read: their frames follow, then on_input_end(), which is the place to write.
  virtual void on_input_begin() = 0;
  virtual void on_frame(const amqp091::Frame& frame) = 0;  // of the channel; not channel.close
  virtual void on_input_end() = 0;
  // All that was queued has left, after flush() had left some of it.
  virtual void on_output_room() = 0;
  virtual void on_failed(const Error& error) = 0;
  virtual void on_closed() = 0;  // close() has been answered

 protected:
  ~ClientEvents() = default;
};

struct ClientOptions {
  std::string user = "guest";
  std::string password = "guest";
  std::string vhost = "/";
  std::string name = "weir bench";  // "connection_name" as management pages show it
  std::uint16_t heartbeat_s = 0;    // 0: none
};

class AmqpClient final : public runtime::StreamHandler {
 public:
  AmqpClient(ClientOptions options, runtime::Loop& loop, ClientEvents& events);

  void start(std::unique_ptr<runtime::ByteStream> stream);

  std::uint32_t frame_max() const { return frame_max_; }
  // True once the broker has said connection.blocked or channel.flow(false), until it takes that back.
  bool blocked_by_broker() const { return blocked_by_broker_; }

  // Everything queued has left: what queue_bytes() was given may change.
  bool output_idle() const { return output_.idle(); }
  // Queues bytes that stay where they are until output_idle(). Whole frames only.
  void queue_bytes(Bytes bytes) { output_.queue(bytes); }
  // Appends to what leaves after the queued bytes.
  template <amqp091::AnyMethod M>
  void append(const M& method) {
    amqp091::append_method_frame(output_.own(), client_channel, method);
  }
  // Writes as much as the socket takes.
  void flush();

  // Says goodbye; on_closed() or on_failed() follows.
  void close();
  bool finished() const { return state_ == State::closed; }

  void on_readable() override;
  void on_writable() override;
  void on_closed(const Error& reason) override;

 private:
  enum class State : std::uint8_t { connecting, open, closing, closed };

  void take_frames();
  void on_frame(const amqp091::Frame& frame);
  void on_connection_method(Bytes payload);
  void on_channel_method(const amqp091::Frame& frame);
  template <amqp091::AnyMethod M, typename Take>
  void with(Bytes payload, Take&& take);
  template <amqp091::AnyMethod M>
  void append_on_connection(const M& method) {
    amqp091::append_method_frame(output_.own(), 0, method);
  }
  void start_ok();
  void tune_ok(Bytes payload);
  void fail_with(Error error);
  void on_heartbeat_timer();

  ClientOptions options_;
  runtime::Loop& loop_;
  ClientEvents& events_;
  std::unique_ptr<runtime::ByteStream> stream_;
  State state_ = State::connecting;
  std::uint32_t frame_max_ = amqp091::frame_max_before_tune;
  std::uint16_t heartbeat_s_ = 0;
  bool blocked_by_broker_ = false;
  bool heard_ = true;    // since the last heartbeat timer
  unsigned silent_ = 0;  // heartbeat timers without hearing anything

  std::vector<std::byte> input_;
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;

  GatheredOutput output_;

  runtime::MethodTimer<AmqpClient, &AmqpClient::on_heartbeat_timer> heartbeat_timer_{*this};
};

}  // namespace weir::cli
