// What it is: one STOMP connection: CONNECT, frames, heart-beats, flow control and ERROR; what it sends, subscribes to and
// acknowledges. One session of the broker, as one channel.
//
//   connecting -> securing -> running -> closing (ERROR, or the receipt of DISCONNECT, leaves) -> ended
//
// The source is in six files: connection.cpp (timers, output, the end), connection_input.cpp (bytes to frames, CONNECT),
// sending.cpp (SEND and transactions), subscribing.cpp (SUBSCRIBE, UNSUBSCRIBE, ACK, NACK), delivering.cpp (MESSAGE),
// session_events.cpp (what the broker says, and what is told to those who look).
//
// Shard: that of its BrokerClient. Lifetime: owned by Connections, destroyed outside of its callbacks, after on_ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "base/meter.h"
#include "base/rng.h"
#include "node/session.h"
#include "protocol/common/client_connection.h"
#include "protocol/common/piece_buffer.h"
#include "protocol/stomp/codec/frame_reader.h"
#include "protocol/stomp/codec/version.h"
#include "protocol/stomp/pending.h"
#include "protocol/stomp/properties.h"
#include "protocol/stomp/settings.h"
#include "protocol/stomp/subscriptions.h"
#include "runtime/stream.h"
#include "runtime/timers.h"

namespace weir::stomp {

class Connection;

class ConnectionOwner {
 public:
  virtual void on_ended(Connection& connection) = 0;
  virtual ClientConnection::Shared shared() = 0;
  virtual Rng& names() = 0;

 protected:
  ~ConnectionOwner() = default;
};

class Connection final : public ClientConnection {
 public:
  Connection(node::BrokerClient& client, std::unique_ptr<runtime::ByteStream> stream,
             const Settings& settings, ConnectionOwner& owner);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // ERROR to a client that is connected, just the end to one that is not yet.
  void shut_down(std::string_view reason);
  void abort() { end(); }

  // --- node::SessionEvents ---
  void on_reply(node::Reply reply) override;
  void on_confirmed(node::PublisherNumber publisher, std::uint64_t up_to) override;
  void on_rejected(node::PublisherNumber publisher, std::uint64_t first, std::uint64_t last) override;
  void on_delivery(const node::Delivery& delivery) override;
  void on_consumer_cancelled(node::ConsumerNumber consumer, node::CancelReason reason) override;
  void on_close_wanted(const Error& reason) override;
  void describe(node::ConnectionFacts& facts, std::vector<node::ChannelRow>* channels) const override;
  void on_sample() override;

 private:
  enum class Phase : std::uint8_t { connecting, securing, running, closing, ended };
  // What becomes of a request's answer.
  using Then = std::function<void(node::ReplyValue& value)>;

  // --- ClientConnection ---
  void take_frames(Bytes input, Chunk* chunk) override;
  bool running() const override { return phase_ == Phase::running; }
  bool leaving() const override { return phase_ == Phase::closing; }
  std::uint32_t handshake_timeout_ms() const override { return settings_.handshake_timeout_ms; }
  void on_deadline() override;
  void on_identity(Status known) override;
  void give_back() override;
  void forget_session() override;
  void on_body_sent() override { leave_when_safe(); }
  void on_body_lost(std::string_view why) override;
  void told_ended() override;
  std::string_view how_lost() const override { return "without DISCONNECT"; }
  LoggedConnection logged() const override;
  LoggedTraffic messages() const override;

  // connection.cpp
  void fail(std::string_view message, std::string_view detail);
  void fail(const Error& error);
  void drop_subscriptions();
  void end_after(std::uint32_t delay_ms);
  void on_beat_in();
  void on_beat_out();
  void write(std::string_view bytes);
  void send_receipt(std::string_view id);

  // connection_input.cpp
  void handle(FrameReader::Kind kind, Chunk* chunk);
  void handle_frame(Chunk* chunk);
  void handle_head(Chunk* chunk);
  bool begins_connection();  // or fails
  FrameLimits frame_limits() const;
  void connect();
  void start_session();
  void disconnect();
  void leave_when_safe();
  void finish_frame();
  std::string receipt_of() const;
  // To be followed by a call of the session that replies.
  void ask(Then then);
  // False, and the connection failed, when the user may not.
  bool may(broker::Access access, broker::DestinationKind kind, std::string_view resource);
  bool may_declare(std::string_view name, const broker::Table& arguments);

  // sending.cpp
  void begin_send(Chunk* chunk, bool large);
  void find_way();
  void make_reply_queue(std::string name);
  void make_queue(std::string name, broker::DeclareQueue request, std::function<void()> then);
  void publish();
  node::Publish publication(broker::HeaderSource& headers) const;
  void begin_large();
  void take_large(Bytes part);
  void pass_piece_on();
  void finish_large();
  void end_send();
  OpenTransaction* find_transaction(std::string_view name);
  std::string_view transaction_name();
  void begin_transaction();
  void commit_transaction();
  void abort_transaction();
  void put_back(std::vector<HeldSettlement>& settled);

  // subscribing.cpp
  void subscribe();
  void subscribe_to_queue(const Destination& from);
  void subscribe_to_exchange(const Destination& from);
  void consume(std::string queue);
  void unsubscribe();
  void remove(Subscription& subscription);
  void delete_durable(const Subscription& subscription);
  void settle(bool accept);

  // delivering.cpp
  void pass_over(const Subscription& subscription, const node::Delivery& delivery);
  void append_message_head(const node::Delivery& delivery, const Subscription& subscription,
                           std::uint64_t tag);

  const Settings& settings_;
  ConnectionOwner& owner_;
  FrameReader reader_;
  ChunkRef frame_input_;  // of the frame that waits
  Phase phase_ = Phase::connecting;
  Version version_ = Version::v1_0;
  std::uint32_t beat_in_ms_ = 0, beat_out_ms_ = 0;  // 0: none
  std::string session_name_;

  Then then_;
  std::optional<Send> sending_;
  PieceBuffer piece_;
  std::uint64_t published_seq_ = 0, confirmed_up_to_ = 0;
  std::optional<std::string> last_receipt_;  // DISCONNECT has come: its receipt, or none
  std::deque<Receipt> receipts_;
  std::map<std::string, OpenTransaction, std::less<>> transactions_;
  Subscriptions subscriptions_;
  std::uint64_t next_tag_ = 1;
  std::string text_;  // scratch

  Counters<node::ChannelCount> channel_counts_;
  Meter<node::ChannelCount> channel_meter_;
  std::uint64_t idle_since_ms_ = 0;

  runtime::MethodTimer<Connection, &Connection::on_beat_in> beat_in_{*this};
  runtime::MethodTimer<Connection, &Connection::on_beat_out> beat_out_{*this};
};

}  // namespace weir::stomp
