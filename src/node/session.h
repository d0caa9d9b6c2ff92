// What it is: the one interface that protocol front-ends use. A BrokerClient is a shard as they see it; a Session is one
// client connection's stake in the broker: what it publishes, consumes and owns.
//
// Shard: a session belongs to the shard of its connection; every call and every event is on that shard's thread, and
//   events come inside of a turn. The queue may live on any shard: the hops are hidden here.
// Order: what one session publishes with one publisher reaches each queue in the order of the calls.
// Lifetime: the front-end owns the Session and destroys it when its connection ends: its exclusive queues go, its
//   consumers go, deliveries that were on their way are put back. Deliveries that the front-end was given and has not
//   settled are its own to put back before (settle with Outcome::requeue).
// Requests: at most one at a time per session. The reply comes by on_reply, possibly before the call returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/chunk.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/limits.h"
#include "broker/decide.h"
#include "broker/message.h"
#include "broker/topology.h"
#include "node/connection_facts.h"
#include "node/identity.h"
#include "node/protocols.h"
#include "node/tracing.h"
#include "runtime/stream.h"
#include "runtime/timers.h"

namespace weir::node {

// The front-end's own numbers: a publisher is an AMQP channel in confirm mode, say. A publisher's number may be used again
// after close_publisher(); a consumer's is never used twice in a session.
using PublisherNumber = std::uint32_t;
using ConsumerNumber = std::uint32_t;
// A prefetch that consumers share: of an AMQP channel, say.
using PoolNumber = std::uint32_t;
// A large body on its way in or out, a number of the session's, never used twice.
using BodyNumber = std::uint64_t;
inline constexpr BodyNumber no_body = 0;
// Of messages taken with get(): they belong to no consumer.
inline constexpr ConsumerNumber no_consumer = 0;

struct Delivery {
  ConsumerNumber consumer = no_consumer;
  bool redelivered = false;
  QueueId queue;
  Seq seq;
  broker::StoredMessage message;  // views into `chunk`, valid during the event
  Chunk* chunk = nullptr;         // add a reference to keep the bytes longer
  std::uint16_t returns = 0;      // how often it came back before, where its queue counts that
  bool looked_at = false;         // it stays in its queue: nothing is to be settled
  // Of a large message: message.body is empty, and the body is read by this number, to be closed when it is done with.
  // It stays readable, whatever becomes of the message and its queue.
  BodyNumber body = no_body;
  std::uint64_t body_bytes = 0;
};

enum class Outcome : std::uint8_t {
  accept,   // done with: gone for good
  requeue,  // back to its place, marked as redelivered
  failed,   // the same; whoever had it could not do it
  discard,  // not wanted by anybody (rejected without requeue)
  restore,  // back to its place as if it had never left
};

enum class CancelReason : std::uint8_t { queue_deleted, failed };

struct QueueStatus {
  std::string name;
  QueueId queue;
  std::uint64_t messages_ready = 0;
  std::uint32_t consumers = 0;
};
struct Got {  // empty queue: no delivery
  std::optional<Delivery> delivery;
  std::uint64_t messages_left = 0;
};
struct Deleted {
  std::uint64_t messages = 0;
};
struct Purged {
  std::uint64_t messages = 0;
};
struct Consuming {
  ConsumerNumber consumer = no_consumer;
};
struct Cancelled {
  ConsumerNumber consumer = no_consumer;
};
struct Done {};
// Of a walk (node/walk.h). What it took out is the front-end's to settle.
struct Walked;
struct WalkOptions;
using WalkedRef = std::shared_ptr<Walked>;
using ReplyValue = std::variant<Done, QueueStatus, Got, Deleted, Purged, Consuming, Cancelled, WalkedRef>;
using Reply = Result<ReplyValue>;

struct BodyPiece {
  Bytes bytes;  // valid during the event
  Chunk* chunk = nullptr;
};

class SessionEvents {
 public:
  // The answer to the session's one request in flight.
  virtual void on_reply(Reply reply) = 0;
  // Every publish of this publisher with a sequence up to `up_to` is safe: synced to disk where it is persistent.
  // Ascending; comes after on_rejected of what is below it.
  virtual void on_confirmed(PublisherNumber publisher, std::uint64_t up_to) = 0;
  // These were not taken (no room): the client may try again later.
  virtual void on_rejected(PublisherNumber publisher, std::uint64_t first, std::uint64_t last) = 0;
  virtual void on_delivery(const Delivery& delivery) = 0;
  // The answer to one read_body. An error: the body is damaged, and there will be nothing more of it.
  virtual void on_body_piece(BodyNumber body, Result<BodyPiece> piece) = 0;
  // The broker ended it. What was delivered may still be settled.
  virtual void on_consumer_cancelled(ConsumerNumber consumer, CancelReason reason) = 0;
  // False: publishes are not wanted now (journal behind, memory or disk full): stop reading a publishing connection.
  // `alarm` is not empty when it lasts (memory or disk watermark): clients are told, where the protocol can.
  virtual void on_publish_flow(bool open, std::string_view alarm) = 0;
  // The broker wants this connection closed (administration, shutdown).
  virtual void on_close_wanted(const Error& reason) = 0;
  // Somebody looks: what is known of the connection now, and of its channels, if they are wanted. Counts what it is about
  // itself, and says little until it does.
  virtual void describe(ConnectionFacts& facts, std::vector<ChannelRow>* channels) const {
    (void)facts, (void)channels;
  }
  // Every meter_interval_ms (base/meter.h): the moment to take samples of what it counts.
  virtual void on_sample() {}

 protected:
  ~SessionEvents() = default;
};

struct SessionInfo {
  std::string user;
  std::string vhost;
  std::string protocol;        // "AMQP 0-9-1"
  std::string client;          // for people: product, connection name
  std::string client_id = {};  // where the protocol has one
  runtime::PeerInfo peer;
  // Of the Identity.
  std::shared_ptr<const broker::Grants> grants = {};
  std::uint64_t expires_ms = 0;
  // For people, as far as the protocol has it.
  std::string connection_name = {};  // that the client gave it
  std::string auth_mechanism = {};   // "PLAIN"
  broker::Table properties = {};     // that the client gave; beyond limits::client_properties_bytes_max, none
};

struct Publish {
  PublisherNumber publisher = 0;
  std::uint64_t seq = 0;            // ascending per publisher from 1; 0: no confirm is wanted
  broker::IncomingMessage message;  // exchange "" is the default exchange
  Chunk* chunk = nullptr;           // where all the body's pieces lie
  broker::HeaderSource* headers = nullptr;
  std::span<const std::string_view> more_keys{};  // it is routed by these too, and reaches each queue once
  // A queue that the front-end keeps: it gets the message besides, if it is there, and nobody is asked who may. With no
  // exchange and no routing key, nobody else gets it.
  std::string_view and_queue{};
  bool mandatory = false;     // its client is told when nobody gets it: for those who count
  std::uint32_t channel = 0;  // the front-end's own: for people
};
enum class PublishResult : std::uint8_t { routed, unroutable };

struct BodyBegun {
  BodyNumber body = no_body;
  PublishResult result = PublishResult::unroutable;
};

struct ConsumeOptions {
  std::string queue;
  ConsumerNumber consumer = 0;  // > 0
  std::string tag;              // for people
  bool no_ack = false;          // settled by delivering
  bool exclusive = false;
  std::uint32_t prefetch = 0;  // most unsettled deliveries; 0: no limit
  PoolNumber pool = 0;         // 0: it shares none
  broker::Table arguments;
  std::uint32_t channel = 1;  // the front-end's own: for people
};

// Of a message that may have been published in part, before the broker went down. By shard.
struct OnShards {
  std::vector<bool> skip;     // nothing goes there
  std::vector<bool> durable;  // said by publish(): something went to a durable queue there
};

// Publishes and settlements that take effect together, when they are committed; destroyed before, nothing happens. What
// it does on one shard is durable together, or not at all; there is no such promise between shards. Dead letters of what
// it discards are published afterwards.
// Lifetime: ends before its session.
class Transaction {
 public:
  virtual ~Transaction() = default;

  // Routed now, and copied. Errors: those of Session::publish, and limit_exceeded: limits::transaction_bytes_max.
  virtual Result<PublishResult> publish(const Publish& publish, OnShards* on = nullptr) = 0;
  // limit_exceeded.
  virtual Status settle(ConsumerNumber consumer, QueueId queue, Seq seq, Outcome outcome) = 0;
};

class Session {
 public:
  virtual ~Session() = default;

  virtual SessionId id() const = 0;
  virtual const SessionInfo& info() const = 0;

  // access_refused, with RabbitMQ's words.
  virtual Status authorize(broker::Access access, broker::DestinationKind kind,
                           std::string_view resource) const = 0;
  // A new secret in place of the one that the client came with, before that expires. access_refused: the old one stays.
  virtual Status renew(std::string_view secret) = 0;

  // What the protocol counts as a channel. limit_exceeded: the user has as many as it may have.
  // `number`: the front-end's own, for people.
  virtual Status open_channel(std::uint32_t number) = 0;
  virtual void close_channel(std::uint32_t number) = 0;

  // --- publishing: plain calls, decided at once; what crosses shards leaves at the end of the turn ---

  // Errors: not_found (exchange), access_refused. Nothing was published then. An unroutable publish with a seq is
  // confirmed like any other: return it to the client (mandatory) before the next event.
  virtual Result<PublishResult> publish(const Publish& publish) = 0;
  virtual std::unique_ptr<Transaction> begin_transaction() = 0;
  // Confirmed like a publish with this seq when all of it is safe; rejected when queues did not take all of it.
  virtual void commit(std::unique_ptr<Transaction> transaction, PublisherNumber publisher,
                      std::uint64_t seq) = 0;
  // A message with a large body in parts: nowhere is it in memory as a whole. What may publish it and where it goes is
  // decided here; with finish_body it is published. `publish` says of the body only how long it is; its views live during
  // the call. no_body: nothing wants it; nothing is appended, and finish_body confirms it like any other.
  // Errors as of publish: nothing has begun then.
  virtual Result<BodyBegun> begin_body(const Publish& publish) = 0;
  // At most BodySizes::piece_bytes, which are in `chunk` (null: they are copied). Best all but the last one of that size.
  virtual void append_body(BodyNumber body, Bytes piece, Chunk* chunk) = 0;
  // All has been appended. `publish`: what begin_body had, now with its seq.
  virtual void finish_body(BodyNumber body, const Publish& publish) = 0;
  virtual void abort_body(BodyNumber body) = 0;
  // No more publishes come from it; its number is free again.
  virtual void close_publisher(PublisherNumber publisher) = 0;

  // --- consuming ---

  virtual void consume(ConsumeOptions options) = 0;  // -> Consuming
  virtual void cancel(ConsumerNumber consumer) = 0;  // -> Cancelled, after its last delivery
  // Without a reply; deliveries that are on their way are put back by the session.
  virtual void drop_consumer(ConsumerNumber consumer) = 0;
  virtual void set_prefetch(ConsumerNumber consumer, std::uint32_t prefetch) = 0;
  // Of all consumers of a pool together, at most so many deliveries are unsettled. 0: no limit.
  virtual void set_pool_prefetch(PoolNumber pool, std::uint32_t prefetch) = 0;
  // One that is there already, and what it has out.
  virtual void join_pool(ConsumerNumber consumer, PoolNumber pool) = 0;
  // The pool's consumers have so many more unsettled deliveries; fewer (negative) whenever some were settled. The consumers
  // of a pool end by cancel(), but for when the pool ends too.
  virtual void add_pool_out(PoolNumber pool, std::int64_t count) = 0;
  virtual void drop_pool(PoolNumber pool) = 0;
  // -> Got; deliver during on_reply. `channel`: the front-end's own, for people.
  virtual void get(std::string queue, bool no_ack, std::uint32_t channel = 0) = 0;
  // Over the messages of a queue. limit_exceeded: there are too many walks already.
  virtual void walk(WalkOptions options) = 0;  // -> WalkedRef
  // Settles one delivery. Consecutive ones of a queue become runs on the way: call in order of delivery.
  virtual void settle(ConsumerNumber consumer, QueueId queue, Seq seq, Outcome outcome) = 0;
  // The next piece of a delivered body, in order -> on_body_piece, later. A few may be asked for at a time.
  virtual void read_body(BodyNumber body) = 0;
  virtual void close_body(BodyNumber body) = 0;
  // Back-pressure: while the front-end's output is congested, deliveries stop after a bounded window. Idempotent.
  virtual void set_congested(bool congested) = 0;

  // --- direct replies: straight to a consumer of this session, through no queue and to no disk, at most once ---

  // The routing key of the default exchange by which they come from whoever was told it (publishing to it counts as
  // unroutable). They are deliveries of no queue, and are not settled.
  virtual std::string make_reply_key(ConsumerNumber consumer) = 0;
  virtual void drop_reply_key(ConsumerNumber consumer) = 0;
  virtual void probe_reply_key(std::string key) = 0;  // -> QueueStatus, or not_found: nobody is there

  // --- definitions: replies Done or QueueStatus, Deleted, Purged ---

  virtual void declare_exchange(broker::DeclareExchange request) = 0;
  virtual void delete_exchange(broker::DeleteExchange request) = 0;
  virtual void declare_queue(broker::DeclareQueue request) = 0;                     // -> QueueStatus
  virtual void delete_queue(std::string queue, bool if_unused, bool if_empty) = 0;  // -> Deleted
  virtual void purge_queue(std::string queue) = 0;                                  // -> Purged
  virtual void bind(broker::BindingDefinition binding) = 0;
  virtual void unbind(broker::BindingDefinition binding) = 0;
};

// Called once at the end of the turn in which it was asked for.
class TurnHook {
 public:
  virtual void on_turn_end() = 0;

 protected:
  ~TurnHook() = default;

 private:
  friend class TurnHooks;
  bool hooked_ = false;
};

// Where sockets are read into: one buffer for all connections of the shard, reused as soon as nobody refers to it.
class ReadBuffer {
 public:
  // At least `bytes_min` writable bytes that follow each other. Valid until the next reserve().
  MutableBytes reserve(std::size_t bytes_min);
  Chunk* chunk() const { return chunk_.get(); }  // in which the reserved bytes lie
  // The first `bytes` of the reserved ones are data that slices may refer to; the rest is free again.
  void commit(std::size_t bytes) { used_ += bytes; }

 private:
  ChunkRef chunk_;
  std::size_t used_ = 0;
};

struct Credentials {
  std::string user;
  std::string password;
  bool loopback = false;
  bool vouched = false;                // a certificate has proven who it is: there is no password
  Protocol protocol = Protocol::none;  // for those who count
};

class Observing;
struct Observed;
struct ObserveScope;
struct HeadersOf;

// What a pending authentication hangs on: destroying it cancels the callback.
class Authentication {
 public:
  virtual ~Authentication() = default;
};

// From where on a persistent body is large, and what its pieces are at most.
struct BodySizes {
  std::size_t large_bytes = limits::large_body_bytes;
  std::size_t piece_bytes = limits::body_piece_bytes;
};

class BrokerClient {
 public:
  virtual ~BrokerClient() = default;

  virtual ShardId shard() const = 0;
  virtual Clock& clock() = 0;
  virtual runtime::TimerWheel& timers() = 0;
  virtual ReadBuffer& read_buffer() = 0;
  virtual void at_turn_end(TurnHook& hook) = 0;
  virtual void forget_turn_end(TurnHook& hook) = 0;  // before the hook is destroyed
  virtual const broker::Topology& topology() const = 0;
  virtual std::uint16_t shards() const = 0;
  virtual const std::string& node_name() const = 0;  // "weir@host"
  virtual BodySizes body_sizes() const = 0;
  // Of stored messages (node/stored_headers.h).
  virtual HeadersOf headers_of() const = 0;
  // Where spans go; null: nothing is traced. The same for as long as the shard lives.
  virtual SpanSink* tracing() const { return nullptr; }

  // Finds out who it is; slow hashes are computed off the shard's thread. access_refused for every kind of failure, with
  // the reason for the log only in the message. `done` comes once, unless the returned object is destroyed first; possibly
  // before the call returns.
  virtual std::unique_ptr<Authentication> authenticate(Credentials credentials,
                                                       std::function<void(Result<Identity>)> done) = 0;
  // not_found (vhost), access_refused, limit_exceeded. `events` outlives the session.
  virtual Result<std::unique_ptr<Session>> open_session(SessionInfo info, SessionEvents& events) = 0;

  // --- for those who watch and administer (node/observe.h) ---

  // `done` comes once, in a turn of this shard, unless what is returned is destroyed first; never inside of the call.
  virtual std::unique_ptr<Observing> observe(ObserveScope scope, std::function<void(Observed&&)> done) = 0;
  // Asks the session's connection to close, on whatever shard it is; nothing if it is not there any more.
  virtual void close_session(SessionId session, Error reason) = 0;
  // A front-end has refused something, by the protocol's own code.
  virtual void count_error(Protocol protocol, std::uint32_t code, bool of_connection) = 0;
};

}  // namespace weir::node
