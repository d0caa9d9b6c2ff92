// What it is: the way from a queue to the sessions: a call when the session is on this shard, else a message in the outbox.
// Shard: its own.
#pragma once

#include "node/messages.h"
#include "node/outbox.h"
#include "node/protocols.h"

namespace weir::node {

// A session's id begins with its shard and its protocol.
inline constexpr unsigned session_shard_shift = 48;
inline constexpr unsigned session_protocol_shift = 40;
inline ShardId shard_of(SessionId session) {
  return ShardId{static_cast<std::uint16_t>(session.value >> session_shard_shift)};
}
inline Protocol protocol_of(SessionId session) {
  return static_cast<Protocol>(session.value >> session_protocol_shift & 0xff);
}
// A connection's; not one of the broker's own, nor of the management API, which opens one for each call.
inline bool is_of_client(SessionId session) {
  return protocol_of(session) != Protocol::none && protocol_of(session) != Protocol::http;
}
inline SessionId session_id(ShardId shard, Protocol protocol, std::uint64_t number) {
  return SessionId{std::uint64_t{shard.value} << session_shard_shift |
                   static_cast<std::uint64_t>(protocol) << session_protocol_shift | number};
}

// Of a shard's own publishes (dead letters), which no connection makes.
inline SessionId internal_session(ShardId shard) {
  return SessionId{std::uint64_t{shard.value} << session_shard_shift};
}
inline bool is_internal(SessionId session) { return session == internal_session(shard_of(session)); }

// What this shard's sessions take. Implemented by Sessions.
class SessionSink {
 public:
  virtual void take_delivery(ShardId from, const DeliverItem& item) = 0;
  virtual void take_ack(ShardId from, const PublishAck& ack) = 0;
  virtual void take_reply(SessionReply reply) = 0;
  virtual void take_consumer_gone(const ConsumerGone& gone) = 0;
  virtual void take_pool_news(const PoolNews& news) = 0;
  virtual void take_body_piece(BodyPieceRead read) = 0;

 protected:
  ~SessionSink() = default;
};

class SessionRoutes {
 public:
  SessionRoutes(ShardId self, SessionSink& local, Outbox& outbox)
      : self_(self), local_(local), outbox_(outbox) {}

  void deliver(const DeliverItem& item) {
    const ShardId to = shard_of(item.session);
    if (to == self_) return local_.take_delivery(self_, item);
    auto& batch = outbox_.batch<DeliverBatch>(to);
    batch.from = self_;
    batch.items.push_back(item);
    hold(batch.holds, item.chunk);
  }
  void ack(const PublishAck& ack) {
    const ShardId to = shard_of(ack.session);
    if (to == self_) return local_.take_ack(self_, ack);
    auto& batch = outbox_.batch<PublishAckBatch>(to);
    batch.from = self_;
    batch.acks.push_back(ack);
  }
  void reply(SessionReply reply) {
    const ShardId to = shard_of(reply.session);
    if (to == self_) return local_.take_reply(std::move(reply));
    outbox_.add(to, std::make_unique<SessionReply>(std::move(reply)));
  }
  void consumer_gone(const ConsumerGone& gone) {
    const ShardId to = shard_of(gone.session);
    if (to == self_) return local_.take_consumer_gone(gone);
    outbox_.add(to, gone);
  }
  void pool_news(PoolNews news) {
    news.from = self_;
    const ShardId to = shard_of(news.session);
    if (to == self_) return local_.take_pool_news(news);
    outbox_.add(to, news);
  }
  void body_piece(BodyPieceRead read) {
    const ShardId to = shard_of(read.session);
    if (to == self_) return local_.take_body_piece(std::move(read));
    outbox_.add(to, std::make_unique<BodyPieceRead>(std::move(read)));
  }
  ShardId self() const { return self_; }

 private:
  ShardId self_;
  SessionSink& local_;
  Outbox& outbox_;
};

}  // namespace weir::node
