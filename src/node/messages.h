// What it is: what shards send each other. Everything goes by value in batches: one shard's turn makes at most a few
// messages for each other shard, whatever the number of publishes and deliveries in it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/chunk.h"
#include "base/ids.h"
#include "broker/decide.h"
#include "broker/message_extras.h"
#include "broker/topology.h"
#include "node/observe.h"
#include "node/reply_address.h"
#include "node/session.h"

namespace weir::node {

// --- publishing: session's shard -> queue's shard ---

enum class PublishPart : std::uint8_t {
  message,     // with a body number: its body is what was sent by it before
  body_piece,  // no message: the body is a piece
  body_end,    // neither: no more messages come for the body, or it is given up
};
struct PublishItem {
  SessionId session;
  PublisherNumber publisher = 0;
  std::uint64_t seq = 0;      // 0: no confirm
  BodyNumber body = no_body;  // of the session's; no_body: the whole message is here
  PublishPart part = PublishPart::message;
  broker::NativeForm native{};
  bool persistent = false;
  std::uint8_t priority = 0;
  std::uint8_t exchange_bytes = 0, routing_key_bytes = 0;
  std::uint16_t extras_bytes = 0;
  std::uint32_t properties_bytes = 0;
  std::uint32_t body_bytes = 0;
  std::uint32_t first_target = 0, targets = 0;  // in PublishBatch::targets
  std::uint32_t first_piece = 0,
                pieces = 0;   // in PublishBatch::pieces; 0 pieces: the body is in `text` behind the rest
  std::uint64_t text_at = 0;  // exchange, routing key, extras, properties in PublishBatch::text
};
struct PublishBatch {
  std::vector<PublishItem> items;
  std::vector<broker::Target> targets;
  std::vector<Bytes> pieces;  // into `holds`
  std::vector<std::byte> text;
  std::vector<ChunkRef> holds;
};

// --- a transaction's share: the same way ---

struct SettleItem {
  SessionId session;
  ConsumerNumber consumer = no_consumer;
  QueueId queue;
  Seq first;
  std::uint32_t count = 0;
  Outcome outcome{};
};
struct TransactionBatch {
  SessionId session;
  PublisherNumber publisher = 0;
  std::uint64_t seq = 0;  // of the commit
  PublishBatch publishes;
  std::vector<SettleItem> settles;
  std::uint64_t body_bytes = 0;  // of all publishes
};

// --- its answer: queue's shard -> session's shard ---

struct PublishAck {
  SessionId session;
  PublisherNumber publisher = 0;
  std::uint64_t up_to = 0;     // of those that went to this shard; 0: only bytes
  std::uint64_t bytes = 0;     // no longer on the way: given back to the session's window
  std::uint64_t rejected = 0;  // this one was not taken (it is below or equal to up_to)
};
struct PublishAckBatch {
  ShardId from;  // whose queues took them
  std::vector<PublishAck> acks;
};

// --- delivering: queue's shard -> session's shard ---

struct DeliverItem {
  SessionId session;
  ConsumerNumber consumer = no_consumer;
  std::uint32_t bytes = 0;  // of the session's window
  bool redelivered = false;
  std::uint16_t returns = 0;
  QueueId queue;
  Seq seq;
  const std::byte* envelope = nullptr;
  Chunk* chunk = nullptr;  // kept by `holds`
  bool looked_at = false;  // it stays in its queue
};
struct DeliverBatch {
  ShardId from;  // where the queues are
  std::vector<DeliverItem> items;
  std::vector<ChunkRef> holds;
};

// --- settling and windows: session's shard -> queue's shard ---

struct SettleBatch {
  std::vector<SettleItem> items;
};
struct WindowGrant {
  SessionId session;
  std::uint64_t bytes = 0, messages = 0;
};
struct WindowBatch {
  std::vector<WindowGrant> grants;
};

// --- dead letters, at least once: between the source's shard and those that took them ---

// They are settled for good: what was marked for their sake can be forgotten.
struct LettersSettled {
  std::vector<broker::LetterOrigin> origins;
};
// Are they? Answered with those that are.
struct LettersAsked {
  ShardId from;
  std::vector<broker::LetterOrigin> origins;
};

// --- direct replies ---

struct ReplyMessage {
  ReplyAddress to;
  ChunkRef envelope;
};
struct ReplyProbe {
  SessionId from;
  ReplyAddress to;
  std::string key;
};

// --- a shared prefetch: queue's shard -> session's shard ---

struct PoolNews {
  SessionId session;
  PoolNumber pool = 0;
  ShardId from{};
  std::int64_t out = 0;      // delivered before it was a pool's; credit that was not used (negative)
  std::uint32_t wanted = 0;  // credit
};

// --- requests to a queue ---

struct ConsumeRequest {
  QueueId queue;
  ConsumeOptions options;
};
struct CancelRequest {
  ConsumerNumber consumer = no_consumer;
  bool reply = true;
};
struct PrefetchRequest {
  ConsumerNumber consumer = no_consumer;
  std::uint32_t prefetch = 0;
};
// Credit for a session's pool.
struct PoolGrant {
  PoolNumber pool = 0;
  std::uint32_t credit = 0;
};
struct JoinPoolRequest {
  ConsumerNumber consumer = no_consumer;
  PoolNumber pool = 0;
};
struct GetRequest {
  QueueId queue;
  bool no_ack = false;
};
struct WalkRequest {
  QueueId queue;
  std::shared_ptr<const WalkOptions> options;
};
struct StatusRequest {
  QueueId queue;
  std::string name;
};
struct PurgeRequest {
  QueueId queue;
};
struct CheckDeleteRequest {
  QueueId queue;
  bool if_unused = false, if_empty = false;
};
// The queue stays: what the check had promised is void.
struct CancelDeleteRequest {};
// Of a body that was delivered to the session and not released yet; `end`: MessageAttributes::pieces_end.
struct ReadBodyRequest {
  std::uint64_t end = 0;
  std::uint32_t piece = 0;
  BodyNumber reader = no_body;
};
struct ReleaseBodyRequest {
  std::uint64_t end = 0;
};
struct EndSessionRequest {};  // its consumers on this shard go

struct QueueRequest {
  SessionId session;
  std::variant<ConsumeRequest, CancelRequest, PrefetchRequest, PoolGrant, JoinPoolRequest, GetRequest,
               WalkRequest, StatusRequest, PurgeRequest, CheckDeleteRequest, CancelDeleteRequest,
               ReadBodyRequest, ReleaseBodyRequest, EndSessionRequest>
      what;
};

// --- requests to the shard that owns the definitions ---

struct MetaRequest {
  ShardId from;
  bool reply = true;
  broker::Actor actor;
  broker::Request request;
};

// --- replies to a session's one request ---

struct GotMessage {
  ShardId from;
  bool there = false;
  bool redelivered = false;
  std::uint16_t returns = 0;
  QueueId queue;
  Seq seq;
  const std::byte* envelope = nullptr;
  ChunkRef chunk;
  std::uint64_t messages_left = 0;
};
struct SessionReply {
  SessionId session;
  Result<std::variant<Done, QueueStatus, GotMessage, Deleted, Purged, Consuming, Cancelled, WalkedRef,
                      broker::Decision>>
      what;
};

// The answer to ReadBodyRequest.
struct BodyPieceRead {
  SessionId session;
  BodyNumber reader = no_body;
  std::uint32_t number = 0;
  Result<Bytes> piece;
  ChunkRef chunk;
};

struct ConsumerGone {
  SessionId session;
  ConsumerNumber consumer = no_consumer;
  CancelReason reason{};
};

// --- to all shards ---

using Changes = std::shared_ptr<const std::vector<broker::Change>>;
struct ChangesMade {
  Changes changes;
};
// Its answer: so many of them were applied here since the start.
struct ChangesApplied {
  ShardId from;
  std::uint64_t count = 0;
};
// The sending shard's wish: no publishes for now.
struct FlowChanged {
  ShardId from;
  bool open = true;
  std::string alarm;
};

// Somebody looks (node/observe.h). Answered by each shard that is asked.
struct ObserveAsked {
  ShardId from;
  std::uint64_t number = 0;  // of the question
  ObserveScope scope;
};
struct ObserveAnswer {
  std::uint64_t number = 0;
  Observed rows;
};
struct CloseSession {
  SessionId session;
  Error reason;
};

struct Call {
  std::function<void()> call;
};  // rare: administration

using ShardMessage =
    std::variant<std::unique_ptr<PublishBatch>, std::unique_ptr<TransactionBatch>,
                 std::unique_ptr<PublishAckBatch>, std::unique_ptr<DeliverBatch>,
                 std::unique_ptr<SettleBatch>, std::unique_ptr<WindowBatch>, std::unique_ptr<QueueRequest>,
                 std::unique_ptr<MetaRequest>, std::unique_ptr<SessionReply>, std::unique_ptr<LettersSettled>,
                 std::unique_ptr<LettersAsked>, std::unique_ptr<ReplyMessage>, std::unique_ptr<ReplyProbe>,
                 std::unique_ptr<ObserveAsked>, std::unique_ptr<ObserveAnswer>, std::unique_ptr<CloseSession>,
                 std::unique_ptr<BodyPieceRead>, PoolNews, ConsumerGone, ChangesMade, ChangesApplied,
                 std::unique_ptr<FlowChanged>, Call>;

// The way to the other shards. Real: inboxes of the loops; in tests and the simulator: whatever drives them.
class Peers {
 public:
  // Takes the messages and leaves the vector empty, with its capacity.
  virtual void send(ShardId to, std::vector<ShardMessage>& messages) = 0;

 protected:
  ~Peers() = default;
};

}  // namespace weir::node
