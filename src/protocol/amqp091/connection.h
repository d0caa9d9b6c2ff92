// What it is: one AMQP 0-9-1 connection: handshake, frames, heartbeats, flow control and close. Methods on channels are in
// channel.h; per-message output is written here, in one gathered write at the end of a turn.
//
//   header -> starting -> securing -> tuning -> opening -> running -> closing -> ended     (we close)
//                                                                  -> closed  -> ended     (the client closes)
//
// The source is in five files: connection.cpp (streams, timers, output), connection_input.cpp (bytes to frames to
// channels), handshake.cpp (channel 0), session_events.cpp (what the broker says), outgoing_bodies.cpp (large bodies),
// observation.cpp (what is told to those who look, and to the log).
//
// Waiting: a request to the broker, a check of a password, an alarm or a peer that reads nothing stop the handling of
//   input; what was read and not handled is held, the socket is not read.
// Shard: that of its BrokerClient. Lifetime: owned by Connections, destroyed outside of its callbacks, after on_ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/meter.h"
#include "base/rng.h"
#include "node/session.h"
#include "protocol/amqp091/channel.h"
#include "protocol/amqp091/codec/content_frames.h"
#include "protocol/amqp091/codec/methods.h"
#include "protocol/amqp091/consumers.h"
#include "protocol/amqp091/frame_reader.h"
#include "protocol/amqp091/sasl.h"
#include "protocol/amqp091/server_properties.h"
#include "protocol/amqp091/settings.h"
#include "protocol/common/client_connection.h"
#include "runtime/stream.h"
#include "runtime/timers.h"

namespace weir::amqp091 {

class Connection;

// What connections of a shard share, and who is told when one has ended.
class ConnectionOwner {
 public:
  virtual void on_ended(Connection& connection) = 0;
  virtual ClientConnection::Shared shared() = 0;
  virtual Rng& names() = 0;  // for generated consumer tags

 protected:
  ~ConnectionOwner() = default;
};

// For people.
struct ConnectionStatus {
  std::string user;
  std::string vhost;
  runtime::PeerInfo peer;
  ClientProperties client;
  std::string_view state;
  std::size_t channels = 0;
  std::size_t consumers = 0;
  std::uint32_t frame_max = 0;
  std::uint16_t heartbeat_s = 0;
  bool blocked = false;
};

class Connection final : public ClientConnection {
 public:
  Connection(node::BrokerClient& client, std::unique_ptr<runtime::ByteStream> stream,
             const Settings& settings, ConnectionOwner& owner);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // connection.close to a client that is connected, just the end to one that is not yet. on_ended follows.
  void shut_down(std::string_view reason);
  // Without a word.
  void abort();
  ConnectionStatus status() const;

  // --- node::SessionEvents ---
  void on_reply(node::Reply reply) override;
  void on_confirmed(node::PublisherNumber publisher, std::uint64_t up_to) override;
  void on_rejected(node::PublisherNumber publisher, std::uint64_t first, std::uint64_t last) override;
  void on_delivery(const node::Delivery& delivery) override;
  void on_consumer_cancelled(node::ConsumerNumber consumer, node::CancelReason reason) override;
  void on_close_wanted(const Error& reason) override;
  void describe(node::ConnectionFacts& facts, std::vector<node::ChannelRow>* channels) const override;
  void on_sample() override;

  // --- for its channels ---
  node::BrokerClient& client() { return client_; }
  node::Session& session() { return *session_; }
  const Settings& settings() const { return settings_; }
  const ClientProperties& peer_properties() const { return peer_properties_; }
  const std::string& user() const { return user_; }
  const std::string& vhost() const { return vhost_; }
  Consumers& consumers() { return consumers_; }
  Rng& names() { return owner_.names(); }

  template <AnyMethod M>
  void send(std::uint16_t channel, const M& method) {
    const std::size_t bytes = method_frame_bytes(method);
    write_method_frame(output_.reserve(bytes), channel, method, bytes);
    output_.commit(bytes);
    after_output();
  }
  // A method with its content. The body lies in `chunk`; null: it is copied.
  template <AnyMethod M>
  void send_content(std::uint16_t channel, const M& method, Bytes raw_properties, Bytes body, Chunk* chunk);

  // The same without a body of its own: it is read from the broker as it leaves, and nothing else goes in between.
  template <AnyMethod M>
  void send_large_content(std::uint16_t channel, const M& method, Bytes raw_properties, node::BodyNumber body,
                          std::uint64_t body_bytes);

  // connection.close, and the end of everything that the connection owns.
  void fail(ReplyCode code, std::string_view text, MethodId culprit);
  // The channel has a request at the broker: nothing is handled until its reply.
  void begin_request(Channel& channel);
  // channel.close-ok was sent or came: the number is free.
  void forget(Channel& channel);
  void content_started(Channel& channel) { unfinished_.push_back(&channel); }
  void content_ended(Channel& channel);
  using ClientConnection::note_published;
  void note_confirms(Channel& channel);

 private:
  enum class Phase : std::uint8_t {
    header,    // waiting for the protocol header
    starting,  // for start-ok
    securing,  // for the broker's word on the password
    tuning,    // for tune-ok
    opening,   // for open
    running,
    closing,  // for close-ok
    closed,   // for the output to leave
    ended,
  };
  static std::string_view name_of(Phase phase);

  // --- ClientConnection ---
  void take_frames(Bytes input, Chunk* chunk) override;
  bool running() const override { return phase_ == Phase::running; }
  bool leaving() const override { return phase_ == Phase::closed; }
  std::uint32_t handshake_timeout_ms() const override { return settings_.handshake_timeout_ms; }
  void on_deadline() override;
  void on_identity(Status known) override;
  void give_back() override;
  void forget_session() override;
  void before_flush() override;
  void apply_publish_flow() override;
  void write_piece(std::uint32_t channel, const node::BodyPiece& piece) override;
  void on_body_lost(std::string_view why) override;
  void told_ended() override;
  std::string_view how_lost() const override { return "without connection.close"; }
  LoggedConnection logged() const override;
  LoggedTraffic messages() const override {
    return {.messages_in = messages_in_, .messages_out = messages_out_};
  }

  // connection_input.cpp
  void take_protocol_header(Bytes& input);
  void handle(const FrameReader::Item& item, Chunk* chunk);
  void handle_body_part(const FrameReader::Item& item);
  void handle_frame(const Frame& frame, Chunk* chunk);
  void handle_outside_of_channels(const Frame& frame);
  void open_channel(const Frame& frame);
  void detach_contents();
  Channel* find_channel(std::uint16_t number);

  // handshake.cpp
  void on_method0(Bytes payload);
  void handle0(const ConnectionStartOk& method);
  void handle0(const ConnectionTuneOk& method);
  void handle0(const ConnectionOpen& method);
  void handle0(const ConnectionClose& method);
  void handle0(const ConnectionCloseOk& method);
  void handle0(const ConnectionUpdateSecret& method);
  template <typename M>
  void handle0(const M&) {
    fail_unexpected();
  }
  void fail_unexpected();
  void send_start();
  bool tuned_to(std::string_view field, std::uint32_t value, std::uint32_t least, std::uint32_t most);
  void fail_open(const Error& error);

  // connection.cpp
  void refuse_protocol();
  void lose_framing(const WireError& error);
  void end_after(std::uint32_t delay_ms);
  void count_messages(const Channel& channel);
  void on_heartbeat();

  const Settings& settings_;
  ConnectionOwner& owner_;
  Phase phase_ = Phase::header;
  bool deaf_ = false;  // input is thrown away

  FrameReader reader_;
  std::uint8_t header_bytes_ = 0;
  std::byte header_[protocol_header_bytes];

  std::uint32_t frame_max_ = frame_max_before_tune;
  std::uint16_t channel_max_ = 0;
  std::uint16_t heartbeat_s_ = 0;
  MethodId method0_{};  // being handled on channel 0
  ClientProperties peer_properties_;
  broker::Table all_peer_properties_;  // until the session has them

  std::unordered_map<std::uint16_t, std::unique_ptr<Channel>> channels_;
  Channel* last_channel_ = nullptr;
  std::uint16_t channel_generation_ = 0;
  std::vector<std::unique_ptr<Channel>> forgotten_;  // destroyed at the end of the turn
  std::vector<Channel*> unfinished_;                 // with a message that has begun
  std::vector<Channel*> confirming_;                 // with confirms to write at the end of the turn
  Channel* requesting_ = nullptr;
  Consumers consumers_;

  bool blocked_told_ = false;

  std::uint64_t messages_in_ = 0, messages_out_ = 0;  // of channels that are closed
  unsigned silent_ticks_ = 0;
  runtime::MethodTimer<Connection, &Connection::on_heartbeat> heartbeat_{*this};
};

template <AnyMethod M>
void Connection::send_content(std::uint16_t channel, const M& method, Bytes raw_properties, Bytes body,
                              Chunk* chunk) {
  const std::size_t method_bytes = method_frame_bytes(method);
  if (chunk == nullptr || body.size() <= body_copy_bytes_max) {
    const std::size_t bytes =
        method_bytes + content_frames_bytes(raw_properties.size(), body.size(), frame_max_);
    std::byte* to = write_method_frame(output_.reserve(bytes), channel, method, method_bytes);
    write_content_frames(to, channel, raw_properties, body, frame_max_);
    output_.commit(bytes);
    return after_output();
  }
  // One piece from a body part to the next: the end octet of a frame and what comes before the next part.
  std::size_t bytes = method_bytes + content_header_frame_bytes(raw_properties.size()) + frame_header_bytes;
  std::byte* to = write_method_frame(output_.reserve(bytes), channel, method, method_bytes);
  to = write_content_header_frame(to, channel, body.size(), raw_properties);
  while (!body.empty()) {
    const Bytes part = body.first(std::min(body.size(), body_payload_max(frame_max_)));
    write_body_frame_header(to, channel, part.size());
    output_.commit(bytes);
    output_.refer(ChunkRef::share(chunk), part);
    body = body.subspan(part.size());
    bytes = body.empty() ? 1 : 1 + frame_header_bytes;
    to = write_frame_end(output_.reserve(bytes));
  }
  output_.commit(bytes);
  after_output();
}

template <AnyMethod M>
void Connection::send_large_content(std::uint16_t channel, const M& method, Bytes raw_properties,
                                    node::BodyNumber body, std::uint64_t body_bytes) {
  const std::size_t method_bytes = method_frame_bytes(method);
  const std::size_t bytes = method_bytes + content_header_frame_bytes(raw_properties.size());
  std::byte* const to = write_method_frame(output_.reserve(bytes), channel, method, method_bytes);
  write_content_header_frame(to, channel, body_bytes, raw_properties);
  output_.commit(bytes);
  begin_body(body, body_bytes, channel);
  after_output();
}

}  // namespace weir::amqp091
