// What it is: the client's end of AMQP 0-9-1 scripts: frames out, expectations of frames in. It knows nothing of what is
// behind the stream: an AmqpWorld is a fake broker (fake_world.h) or a real node.
//
//   AmqpPeer peer(world);
//   peer.handshake();
//   peer.open_channel(1);
//   peer.send(1, QueueDeclare{.queue = "q"});
//   peer.expect(1, QueueDeclareOk{"q", 0, 0});
//
// An expectation runs the world first, and fails the test with both frames in words.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "protocol/amqp091/codec/content.h"
#include "protocol/amqp091/codec/field_table.h"
#include "protocol/amqp091/codec/frame.h"
#include "protocol/amqp091/codec/methods.h"
#include "runtime/stream.h"

namespace weir::test {

class AmqpWorld {
 public:
  virtual ~AmqpWorld() = default;
  // The client's end of a new connection.
  virtual std::unique_ptr<runtime::ByteStream> connect(bool loopback) = 0;
  // Until nothing moves any more.
  virtual void run() = 0;
};

// "queue.declare-ok{'q', 0, 0}"
std::string describe(const amqp091::Method& method);

struct Login {
  std::string_view user = "guest";
  std::string_view password = "guest";
  std::string_view vhost = "/";
  std::uint16_t channel_max = 2'047;
  std::uint32_t frame_max = 131'072;
  std::uint16_t heartbeat_s = 0;
  bool capable = true;  // of all that a client can be told
  bool loopback = true;
};

struct ReceivedContent {
  amqp091::Properties properties;
  std::vector<std::byte> raw_properties;
  std::string body;
  std::size_t body_frames = 0;
};

class AmqpPeer final : private runtime::StreamHandler {
 public:
  explicit AmqpPeer(AmqpWorld& world, Login login = {});
  AmqpPeer(const AmqpPeer&) = delete;
  AmqpPeer& operator=(const AmqpPeer&) = delete;
  ~AmqpPeer();

  // --- out ---
  template <amqp091::AnyMethod M>
  void send(std::uint16_t channel, const M& method) {
    std::vector<std::byte> frame;
    amqp091::append_method_frame(frame, channel, method);
    send_bytes(frame);
  }
  void send_bytes(Bytes bytes);
  void send_protocol_header();
  void send_frame(amqp091::FrameType type, std::uint16_t channel, Bytes payload);
  void send_heartbeat();
  void send_content(std::uint16_t channel, std::string_view body, const amqp091::Properties& properties = {},
                    std::size_t frame_payload_max = 0);
  void publish(std::uint16_t channel, std::string_view exchange, std::string_view key, std::string_view body,
               const amqp091::Properties& properties = {});
  // Sends are gathered, and go out as one write at the next expectation. On by default.
  void flush();

  // --- in ---
  template <amqp091::AnyMethod M>
  void expect(std::uint16_t channel, const M& method) {
    const auto received = next_method(channel);
    if (!received) return;
    const auto* same = std::get_if<M>(&*received);
    if (same == nullptr || !(*same == method))
      mismatch(describe(amqp091::Method(method)), describe(*received));
  }
  // The next method, which must be an M. Views into it stay valid as long as the peer.
  template <amqp091::AnyMethod M>
  M expect_any(std::uint16_t channel) {
    const auto received = next_method(channel);
    if (!received) return {};
    const auto* same = std::get_if<M>(&*received);
    if (same == nullptr) {
      mismatch(std::string(M::info.name), describe(*received));
      return {};
    }
    return *same;
  }
  ReceivedContent expect_content(std::uint16_t channel);
  void expect_heartbeat();
  void expect_nothing();
  void expect_closed();
  void expect_open();
  // channel.close and connection.close with this code and text; the answer is sent.
  void expect_channel_error(std::uint16_t channel, std::uint16_t code, std::string_view text,
                            amqp091::MethodId culprit);
  void expect_connection_error(std::uint16_t code, std::string_view text, amqp091::MethodId culprit);

  // --- together ---
  void expect_start();
  void send_start_ok();
  void handshake();  // to open-ok
  void open_channel(std::uint16_t channel);
  std::string declare(std::uint16_t channel, std::string_view queue);
  // basic.deliver and its body.
  amqp091::BasicDeliver expect_delivery(std::uint16_t channel, std::string_view body);

  // Leaves what comes in the stream.
  void stop_reading();
  void go_on_reading();
  void close();
  bool closed() const { return closed_; }
  std::size_t unread_frames();
  // All that came, undecoded; and forgets it.
  std::vector<std::byte> take_received();

 private:
  struct ReceivedFrame {
    amqp091::FrameType type;
    std::uint16_t channel;
    std::vector<std::byte> payload;
  };
  void on_readable() override;
  void on_writable() override { flush_some(); }
  void on_closed(const Error& reason) override;

  void run();
  void flush_some();
  void cut_frames();
  const ReceivedFrame* next_frame(std::string_view wanted);
  std::optional<amqp091::Method> next_method(std::uint16_t channel);
  static void mismatch(std::string_view wanted, std::string_view came);

  AmqpWorld& world_;
  Login login_;
  std::unique_ptr<runtime::ByteStream> stream_;
  std::vector<std::byte> out_;
  std::size_t sent_ = 0;  // of out_
  std::vector<std::byte> in_;
  std::deque<ReceivedFrame> frames_;  // all that came: methods view into them
  std::size_t next_ = 0;
  bool closed_ = false;
};

}  // namespace weir::test
