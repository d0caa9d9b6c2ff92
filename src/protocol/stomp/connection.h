// What it is: one STOMP connection: CONNECT, frames, heart-beats, flow control and ERROR; what it sends, subscribes to and
// acknowledges. One session of the broker, as one channel.
//
//   connecting -> securing -> running -> closing (ERROR, or the receipt of DISCONNECT, leaves) -> ended
//
// The source is in six files: connection.cpp (streams, timers, output), connection_input.cpp (bytes to frames, CONNECT),
// sending.cpp (SEND and transactions), subscribing.cpp (SUBSCRIBE, UNSUBSCRIBE, ACK, NACK), delivering.cpp (MESSAGE),
// session_events.cpp (what the broker says, and what is told to those who look).
//
// Waiting: a request to the broker, a check of a password, an alarm or a peer that reads nothing stop the handling of
//   input; what was read and not handled is held, the socket is not read.
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
#include "protocol/common/connection_log.h"
#include "protocol/common/held_input.h"
#include "protocol/common/login_delays.h"
#include "protocol/common/output.h"
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
  virtual OutputBlocks& output_blocks() = 0;
  virtual Rng& names() = 0;
  virtual LoginDelays& login_delays() = 0;

 protected:
  ~ConnectionOwner() = default;
};

class Connection final : public runtime::StreamHandler, public node::SessionEvents, public node::TurnHook {
 public:
  Connection(node::BrokerClient& client, std::unique_ptr<runtime::ByteStream> stream,
             const Settings& settings, ConnectionOwner& owner);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  void open();
  // ERROR to a client that is connected, just the end to one that is not yet.
  void shut_down(std::string_view reason);
  void abort() { end(); }

  // --- runtime::StreamHandler ---
  void on_readable() override;
  void on_writable() override;
  void on_closed(const Error& reason) override;
  // --- node::TurnHook ---
  void on_turn_end() override;
  // --- node::SessionEvents ---
  void on_reply(node::Reply reply) override;
  void on_confirmed(node::PublisherNumber publisher, std::uint64_t up_to) override;
  void on_rejected(node::PublisherNumber publisher, std::uint64_t first, std::uint64_t last) override;
  void on_delivery(const node::Delivery& delivery) override;
  void on_body_piece(node::BodyNumber body, Result<node::BodyPiece> piece) override;
  void on_consumer_cancelled(node::ConsumerNumber consumer, node::CancelReason reason) override;
  void on_publish_flow(bool open, std::string_view alarm) override;
  void on_close_wanted(const Error& reason) override;
  void describe(node::ConnectionFacts& facts, std::vector<node::ChannelRow>* channels) const override;
  void on_sample() override;

 private:
  enum class Phase : std::uint8_t { connecting, securing, running, closing, ended };
  enum Wait : std::uint8_t {
    for_request = 1,
    for_authentication = 2,
    for_publish_flow = 4,
    for_output = 8,
  };
  // What becomes of a request's answer.
  using Then = std::function<void(node::ReplyValue& value)>;

  // connection.cpp
  void fail(std::string_view message, std::string_view detail);
  void fail(const Error& error);
  void release_session();
  void drop_subscriptions();
  void end();
  void end_after(std::uint32_t delay_ms);
  void on_deadline();
  void on_beat_in();
  void on_beat_out();
  void on_resume();
  void after_output();
  void ask_turn_end();
  void on_output_high();
  void be_congested();
  void flush_output();
  void write(std::string_view bytes);
  void send_receipt(std::string_view id);

  // connection_input.cpp
  void take_input(Bytes input, Chunk* chunk);
  void take_frames(Bytes input, Chunk* chunk);
  void resume_input();
  void wait(Wait reason);
  void wait_no_more(Wait reason);
  void handle(FrameReader::Kind kind, Chunk* chunk);
  void handle_frame(Chunk* chunk);
  void handle_head(Chunk* chunk);
  bool begins_connection();  // or fails
  FrameLimits frame_limits() const;
  void connect();
  void log_in();
  void on_authenticated(Result<node::Identity> identity);
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
  void append_message_head(const node::Delivery& delivery, const Subscription& subscription,
                           std::uint64_t tag);
  void ask_for_pieces();
  void drop_bodies();

  // session_events.cpp
  Counters<node::ConnectionCount> counts() const;
  LoggedConnection logged() const;
  void note_end(LogLevel level, std::string reason);  // the first one counts
  void log_end() const;

  node::BrokerClient& client_;
  const Settings& settings_;
  ConnectionOwner& owner_;
  const std::unique_ptr<runtime::ByteStream> stream_;
  Output output_;
  FrameReader reader_;
  HeldInput held_;
  Phase phase_ = Phase::connecting;
  std::uint8_t waits_ = 0;
  bool paused_ = false, handling_input_ = false, turn_end_asked_ = false, write_blocked_ = false;
  bool congested_ = false, session_ending_ = false, published_ = false, publish_open_ = true;
  Version version_ = Version::v1_0;
  std::uint32_t beat_in_ms_ = 0, beat_out_ms_ = 0;  // 0: none
  std::uint64_t received_bytes_ = 0, received_bytes_before_ = 0, sent_bytes_before_ = 0;
  std::uint64_t reads_ = 0, writes_ = 0;
  std::uint64_t opened_ns_ = 0;
  LogLevel end_level_ = LogLevel::info;
  std::string end_reason_;
  std::string user_, vhost_, alarm_;
  std::string session_name_;
  std::string_view mechanism_;
  node::Credentials credentials_;
  node::Identity identity_;
  std::unique_ptr<node::Authentication> authentication_;
  std::unique_ptr<node::Session> session_;

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
  std::deque<OutgoingBody> bodies_;

  Counters<node::ChannelCount> channel_counts_;
  Meter<node::ChannelCount> channel_meter_;
  Meter<node::ConnectionCount> meter_;
  std::uint64_t idle_since_ms_ = 0;

  runtime::MethodTimer<Connection, &Connection::on_deadline> deadline_{*this};
  runtime::MethodTimer<Connection, &Connection::on_beat_in> beat_in_{*this};
  runtime::MethodTimer<Connection, &Connection::on_beat_out> beat_out_{*this};
  runtime::MethodTimer<Connection, &Connection::on_resume> resume_{*this};
  runtime::MethodTimer<Connection, &Connection::log_in> login_{*this};
};

}  // namespace weir::stomp
