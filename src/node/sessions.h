// What it is: the sessions of one shard: finds the one that a message is for, and what happens when it has gone.
// Shard: its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "broker/topology.h"
#include "node/exchange_uses.h"
#include "node/queue_host.h"
#include "node/reports.h"
#include "node/session.h"
#include "node/session_routes.h"
#include "node/tenants.h"
#include "node/traffic.h"
#include "runtime/timers.h"

namespace weir::node {

class ShardSession;

// What a session needs of its shard.
struct SessionSurroundings {
  ShardId self;
  std::uint16_t shards = 1;
  const broker::Topology& topology;
  Outbox& outbox;
  QueueHost& host;
  std::function<void(MetaRequest)> to_meta;
  std::function<void()> wake;  // another turn is wanted soon
  Clock& clock;
  runtime::TimerWheel& timers;
  Tenants& tenants;
  const TokenAuthority* tokens;  // null: there are none
  Traffic& traffic;
  ExchangeUses& exchanges;
  Reports& reports;
  BodySizes body_sizes{};
};

class Sessions final : public SessionSink {
 public:
  explicit Sessions(SessionSurroundings surroundings) : surroundings_(std::move(surroundings)) {}
  ~Sessions();

  // not_found (vhost), access_refused, limit_exceeded, with RabbitMQ's words. Without a protocol it is the broker's own
  // session: it stands for no connection, so nobody lists it, counts it or tells of it as one, and no limit is for it.
  Result<std::unique_ptr<Session>> open(SessionInfo info, SessionEvents& events);
  // Limits of users or vhosts are others now.
  void refresh_limits();

  // The vhost is traced from now on, or not any more.
  void refresh_tracing(std::string_view vhost);

  // Tells confirms; before the sockets are written.
  void end_turn();
  // Gives windows back; after the sockets were written, when it is known who is congested.
  void after_writes();
  // `open` = no shard wants publishing to stop.
  void set_flow(bool open, const std::string& alarm);
  bool publishing_open() const { return flow_open_; }
  // Asks the connections to close of which it is true.
  void close_if(const std::function<bool(const SessionInfo&)>& unwanted, const Error& reason);
  void close_all(const Error& reason);
  void close(SessionId session, const Error& reason);
  std::size_t count() const { return sessions_.size(); }
  std::size_t count_clients() const { return clients_; }
  std::vector<SessionId> ids() const;
  // Null: it is not there (any more).
  const ShardSession* look_at(SessionId id) { return find(id); }
  // Front-ends take their samples: the next ones of `ids`, at most `max`, from `at` on. False: all have.
  bool sample(const std::vector<SessionId>& ids, std::size_t& at, std::size_t max);
  template <typename F>
  void for_each(F&& visit) {
    for (auto& [id, session] : sessions_) visit(*session);
  }

  void take_delivery(ShardId from, const DeliverItem& item) override;
  void take_ack(ShardId from, const PublishAck& ack) override;
  void take_reply(SessionReply reply) override;
  void take_consumer_gone(const ConsumerGone& gone) override;
  void take_pool_news(const PoolNews& news) override;
  void take_direct(const ReplyMessage& message);
  // The answer to it.
  SessionReply probe(const ReplyProbe& probe);
  void take_body_piece(BodyPieceRead read) override;

 private:
  friend class ShardSession;
  struct ConfirmNews {
    std::uint32_t id;  // of the publisher on the way
    PublisherNumber publisher;
    std::uint64_t up_to;
  };
  ShardSession* find(SessionId id);
  // Its publishing stops until then.
  void hold_until(SessionId session, std::uint64_t monotonic_ns);
  void on_hold_timer();
  void arm_hold_timer();
  // Its connection is closed then, unless its session expires later by that time.
  void end_at(SessionId session, std::uint64_t wall_ms);
  void on_expiry_timer();
  void arm_expiry_timer();
  // A delivery that nobody is there for goes back to its place.
  void put_back(ShardId from, SessionId session, ConsumerNumber consumer, QueueId queue, Seq seq,
                Outcome outcome = Outcome::requeue);

  SessionSurroundings surroundings_;
  std::unordered_map<SessionId, ShardSession*> sessions_;
  std::size_t clients_ = 0;  // of them
  ShardSession* last_ = nullptr;
  std::uint64_t next_ = 1;
  bool flow_open_ = true;
  std::string alarm_;
  std::vector<ConfirmNews> confirm_news_;         // scratch
  std::vector<SessionId> confirming_, granting_;  // with something to do at the end of the turn
  std::multimap<std::uint64_t, SessionId> held_;  // whose publishing waits, by when it goes on: monotonic ns
  runtime::MethodTimer<Sessions, &Sessions::on_hold_timer> hold_timer_{*this};
  std::multimap<std::uint64_t, SessionId> expiring_;  // by when, wall ms
  runtime::MethodTimer<Sessions, &Sessions::on_expiry_timer> expiry_timer_{*this};
};

}  // namespace weir::node
