// What it is: one MQTT connection, of version 3.1, 3.1.1 or 5.0: CONNECT, packets, keep-alive and DISCONNECT; and its session,
// which is a queue of the broker. A session that ends with its connection has a queue that does so; one that stays has a
// durable queue, whose bindings are its subscriptions. One session of the broker, as one channel.
//
//   connecting -> authenticating -> claiming (the client id) -> restoring (the session) -> running -> closing -> ended
//
// The source is in several files: connection.cpp (timers, output, the end), connecting.cpp (CONNECT), packets.cpp (bytes to
// packets), publishing.cpp (PUBLISH from the client, and what is said of it), subscribing.cpp, sessions.cpp (the queues of a
// session), delivering.cpp (PUBLISH to the client, and what it says of it), session_events.cpp (what the broker says, and
// what is told to those who look).
//
// Shard: that of its BrokerClient. Lifetime: owned by Connections, destroyed outside of its callbacks, after on_ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/counters.h"
#include "base/fifo.h"
#include "base/meter.h"
#include "base/rng.h"
#include "node/session.h"
#include "protocol/common/client_connection.h"
#include "protocol/common/piece_buffer.h"
#include "protocol/mqtt/codec/packet_reader.h"
#include "protocol/mqtt/codec/packets.h"
#include "protocol/mqtt/directory.h"
#include "protocol/mqtt/marks.h"
#include "protocol/mqtt/packet_ids.h"
#include "protocol/mqtt/settings.h"
#include "protocol/mqtt/subscriptions.h"
#include "protocol/mqtt/sys_topics.h"
#include "protocol/mqtt/will.h"

namespace weir::mqtt {

class Connection;
class RetainedStores;

class ConnectionOwner {
 public:
  virtual void on_ended(Connection& connection) = 0;
  virtual ClientConnection::Shared shared() = 0;
  virtual Rng& names() = 0;
  virtual Directory& directory() = 0;
  virtual RetainedStores& retained() = 0;
  virtual SysTopics& sys_topics() = 0;
  virtual void keep_will(DelayedWill will) = 0;

 protected:
  ~ConnectionOwner() = default;
};

class Connection final : public ClientConnection, private ClientIdUser, private SysWatcher {
 public:
  Connection(node::BrokerClient& client, std::unique_ptr<runtime::ByteStream> stream,
             const Settings& settings, ConnectionOwner& owner);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // DISCONNECT to a client that knows it, just the end to one that does not.
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
  enum class Phase : std::uint8_t {
    connecting,
    authenticating,
    claiming,
    restoring,
    running,
    closing,
    ended
  };
  static constexpr node::PublisherNumber publisher = 1;
  // A routing key that no topic has: of bindings that only say what a session has subscribed to.
  static constexpr std::string_view no_topic = "+";

  // A request to the broker, and what becomes of its answer: false, nothing more is done of what it was a part of.
  struct Step {
    std::function<bool()> begin;  // false: there is nothing to ask
    std::function<bool(node::Reply& reply)> then;
  };

  // --- ClientConnection ---
  void take_frames(Bytes input, Chunk* chunk) override;
  bool running() const override { return phase_ == Phase::running; }
  bool leaving() const override { return phase_ == Phase::closing; }
  std::uint32_t handshake_timeout_ms() const override { return settings_.handshake_timeout_ms; }
  void on_deadline() override;
  void on_identity(Status known) override;
  void give_back() override;
  void forget_session() override;
  void on_body_lost(std::string_view why) override;
  void told_ended() override;
  std::string_view how_lost() const override { return "without DISCONNECT"; }
  LoggedConnection logged() const override;
  LoggedTraffic messages() const override;
  // --- ClientIdUser ---
  void on_id_granted() override;
  void on_id_refused() override;
  void on_taken_over() override;

  // connection.cpp
  // Closes as the version can: with a DISCONNECT that says why, or without a word.
  void fail(ReasonCode code, std::string_view detail);
  void fail(const WireError& error) { fail(error.code, error.text); }
  void close_after_output();
  void leave();  // as the client has said
  void on_keep_alive();
  template <typename Packet>
  void send(const Packet& packet);
  void send_ack(PacketType type, std::uint16_t packet_id, ReasonCode code = ReasonCode::success);

  // packets.cpp
  PacketLimits packet_limits() const;
  void handle(PacketReader::Kind kind, Chunk* chunk);
  void handle_packet(Chunk* chunk);
  void handle_disconnect();
  void handle_ack(const Ack& ack);

  // connecting.cpp
  void connect();
  bool adopt(const Connect& packet);  // or refuses
  void log_in(const Connect& packet);
  void refuse(ReasonCode code, std::string_view detail);
  void open_session();
  void accept();

  // sessions.cpp
  void run(std::vector<Step> steps, std::function<void()> then);
  void go_on();
  // One that is no request: who ends it, says so. `begin`: false, there is nothing to wait for.
  static void add_outside_step(std::vector<Step>& steps, std::function<bool()> begin);
  void end_outside_step();
  void restore();
  bool belongs_to_others() const;
  void load_subscriptions();
  void add_declare(std::vector<Step>& steps);
  void add_consume(std::vector<Step>& steps);
  void add_consume_extra(std::vector<Step>& steps, std::string filter);
  void add_leave_shared(std::vector<Step>& steps, const Subscribed& subscribed);
  broker::DeclareQueue queue_request() const;
  bool queue_is_there() const;
  std::string shared_queue_of(const SharedFilter& shared) const;
  std::optional<broker::DeclareQueue> shared_queue_request(const std::string& queue) const;
  void add_queue_of(Subscribed& subscribed);
  broker::BindingDefinition binding_of(const Subscribed& subscribed) const;
  broker::BindingDefinition membership_of(const Subscribed& subscribed) const;

  // publishing.cpp
  void begin_publish(Chunk* chunk, bool large);
  bool resolve_alias();
  bool has_come_before();
  void publish(Chunk* chunk);
  void publish_ended(node::PublishResult result);
  void refuse_publish(ReasonCode code, std::string_view detail);
  node::Publish publication(std::uint64_t seq, broker::HeaderSource& headers) const;
  void take_large(Bytes part);
  void pass_piece_on();
  void finish_large();
  void publish_will();

  // exactly_once.cpp
  void add_marks(std::vector<Step>& steps);
  void add_delete_marks(std::vector<Step>& steps);
  void add_update_marks(std::vector<Step>& steps);
  std::string mark_queue_of(ShardId shard) const;
  bool has_marks_of_before() const;
  broker::DeclareQueue mark_queue_request(ShardId shard) const;
  void on_mark(const node::Delivery& delivery, ShardId shard);
  void on_received_mark(std::uint16_t packet_id, const MarkPlace& place);
  void on_released_mark(std::uint16_t packet_id, const MarkPlace& place);
  void release_again();
  void put_marks_back();
  bool publish_mark(node::Transaction& together, const Mark& mark, ShardId shard);
  Result<node::PublishResult> publish_once(const node::Publish& publish);
  void release(std::uint16_t packet_id);
  void end_received(std::uint16_t packet_id, Received& received);
  void take_pubrec(const Ack& ack);
  void take_pubcomp(const Ack& ack);
  void end_flight(InFlight& flight);

  // sys_watching.cpp
  void watch_sys();
  void on_sys(const std::vector<SysValue>& values, bool first) override;

  // subscribing.cpp
  void subscribe();
  void unsubscribe();
  ReasonCode check(const Subscription& wanted);
  void add_subscribe(std::vector<Step>& steps, std::size_t index);
  void add_unsubscribe(std::vector<Step>& steps, const Subscribed& subscribed);
  void put_back(node::ConsumerNumber consumer);
  void finish_subscribe();
  void finish_unsubscribe();

  // delivering.cpp
  void hand_over(const node::Delivery& delivery, const Handing& handing, std::string_view topic);
  std::uint16_t outgoing_alias(std::string_view topic, bool& is_new);
  void deliver(const node::Delivery& delivery);
  void use_topic_of(std::string_view routing_key);
  void send_held();
  void put_held_back();
  void settle(const InFlight& flight, node::Outcome outcome);
  void take_puback(const Ack& ack);

  const std::shared_ptr<void> alive_ = std::make_shared<char>();  // for what is answered from elsewhere
  const Settings& settings_;
  ConnectionOwner& owner_;
  PacketReader reader_;
  Phase phase_ = Phase::connecting;
  Version version_ = Version::v3_1_1;
  bool clean_start_ = true, session_present_ = false, assigned_id_ = false, claimed_ = false;
  bool problem_information_ = true;
  bool reads_without_acks_ = false;  // the own queue's consumer
  bool consuming_ = false;
  bool watches_sys_ = false;
  bool lasts_ = false;  // the session: its queue is durable
  std::uint16_t keep_alive_s_ = 0;
  std::uint32_t session_expiry_s_ = 0;
  std::uint16_t receive_maximum_ = 0;      // of the client
  std::uint16_t alias_maximum_ = 0;        // of the client
  std::uint32_t client_packet_bytes_ = 0;  // that it takes; 0: any
  std::uint64_t last_packet_ms_ = 0;
  std::string client_id_;
  std::uint64_t client_hash_ = 0;
  std::uint64_t claim_ = 0;
  std::string queue_;  // of the session
  std::optional<KeptWill> will_;

  Fifo<Step> steps_;
  std::function<void()> then_;

  // From the client.
  std::vector<std::string> aliases_;  // by alias - 1
  Publish publishing_;  // the PUBLISH that is being handled: its views are in the two below, and the reader
  std::string topic_, routing_key_;
  std::vector<std::byte> stored_, extras_;
  ChunkRef input_;  // keeps its payload while the broker makes room for what is retained
  PieceBuffer piece_;
  node::BodyNumber body_ = node::no_body;
  bool large_ = false;
  std::uint64_t published_seq_ = 0, confirmed_up_to_ = 0;
  // What is said when all up to `seq` is safe.
  enum class Answer : std::uint8_t { puback, pubrec, pubrel, pubcomp, none };
  struct Unconfirmed {
    std::uint64_t seq = 0;
    std::uint16_t packet_id = 0;
    std::uint8_t qos = 0;
    ReasonCode code = ReasonCode::success;
    Answer answer = Answer::puback;
  };
  void answer(const Unconfirmed& safe);
  Fifo<Unconfirmed> unconfirmed_;
  std::size_t unconfirmed_qos_1_ = 0;
  std::unordered_map<std::uint16_t, Received> received_;  // by QoS 2, and not released yet
  std::vector<node::ConsumerNumber> marks_from_;  // of the queues of marks, by shard; empty: not used yet
  std::vector<std::string> mark_queues_;          // their names
  std::uint64_t marks_to_load_ = 0;
  bool loads_marks_ = false;                    // a step waits for that
  std::vector<std::uint16_t> released_before_;  // PUBREL goes out again

  // SUBSCRIBE or UNSUBSCRIBE that is being handled.
  std::uint16_t subscribe_id_ = 0;
  std::vector<ReasonCode> codes_;
  struct Wanted {
    Subscribed subscribed;
    std::uint8_t retain_handling = 0;
    bool is_new = true;
  };
  std::vector<Wanted> wanted_;

  // To the client.
  SubscriptionSet subscriptions_;
  node::ConsumerNumber own_ = node::no_consumer, last_consumer_ = node::no_consumer;
  PacketIds flights_;
  // What has come while the client had as many in flight as it takes.
  struct HeldDelivery {
    node::Delivery delivery;
    ChunkRef chunk;
  };
  Fifo<HeldDelivery> held_back_;
  std::unordered_map<std::string, std::uint16_t> outgoing_aliases_;
  std::vector<std::uint32_t> ids_;  // scratch
  std::vector<std::byte> list_;     // scratch
  std::string out_topic_;           // scratch

  Counters<node::ChannelCount> channel_counts_;
  Meter<node::ChannelCount> channel_meter_;
  std::uint64_t idle_since_ms_ = 0;
  runtime::MethodTimer<Connection, &Connection::on_keep_alive> keep_alive_{*this};
};

}  // namespace weir::mqtt
