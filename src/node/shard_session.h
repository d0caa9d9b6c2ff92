// What it is: one connection's stake in the broker, on the connection's shard; see node/session.h for the contract.
// Shard: its connection's.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/rng.h"
#include "node/confirm_window.h"
#include "node/message_shares.h"
#include "node/prefetch_pool.h"
#include "node/route_cache.h"
#include "node/session.h"
#include "node/sessions.h"
#include "node/tenancy.h"

namespace weir::node {

// Whether a settlement goes on where the last item ends.
bool extends(std::span<const SettleItem> items, SessionId session, ConsumerNumber consumer, QueueId queue,
             Seq seq, Outcome outcome);

class ShardSession final : public Session {
 public:
  ShardSession(Sessions& home, SessionId id, SessionInfo info, Tenancy tenancy, SessionEvents& events);
  ~ShardSession() override;

  SessionId id() const override { return id_; }
  const SessionInfo& info() const override { return info_; }

  Status authorize(broker::Access access, broker::DestinationKind kind,
                   std::string_view resource) const override {
    return at_.topology.authorize(who(), info_.vhost, access, resource, kind);
  }
  Status renew(std::string_view secret) override;

  Status open_channel(std::uint32_t number) override;
  void close_channel(std::uint32_t number) override;

  Result<PublishResult> publish(const Publish& publish) override;
  std::unique_ptr<Transaction> begin_transaction() override;
  void commit(std::unique_ptr<Transaction> transaction, PublisherNumber publisher,
              std::uint64_t seq) override;
  Result<BodyBegun> begin_body(const Publish& publish) override;
  void append_body(BodyNumber body, Bytes piece, Chunk* chunk) override;
  void finish_body(BodyNumber body, const Publish& publish) override;
  void abort_body(BodyNumber body) override;
  void close_publisher(PublisherNumber publisher) override;

  void consume(ConsumeOptions options) override;
  void cancel(ConsumerNumber consumer) override;
  void drop_consumer(ConsumerNumber consumer) override;
  void set_prefetch(ConsumerNumber consumer, std::uint32_t prefetch) override;
  void set_pool_prefetch(PoolNumber pool, std::uint32_t prefetch) override;
  void join_pool(ConsumerNumber consumer, PoolNumber pool) override;
  void add_pool_out(PoolNumber pool, std::int64_t count) override;
  void drop_pool(PoolNumber pool) override { pools_.erase(pool); }
  void get(std::string queue, bool no_ack, std::uint32_t channel) override;
  void walk(WalkOptions options) override;
  void settle(ConsumerNumber consumer, QueueId queue, Seq seq, Outcome outcome) override;
  void read_body(BodyNumber body) override;
  void close_body(BodyNumber body) override;
  void set_congested(bool congested) override;

  std::string make_reply_key(ConsumerNumber consumer) override;
  void drop_reply_key(ConsumerNumber consumer) override;
  void probe_reply_key(std::string key) override;

  void declare_exchange(broker::DeclareExchange request) override;
  void delete_exchange(broker::DeleteExchange request) override;
  void declare_queue(broker::DeclareQueue request) override;
  void delete_queue(std::string queue, bool if_unused, bool if_empty) override;
  void purge_queue(std::string queue) override;
  void bind(broker::BindingDefinition binding) override;
  void unbind(broker::BindingDefinition binding) override;

  // --- for its transactions ---

  // Where the message goes, grouped by shard; valid until the next call.
  Result<std::span<const broker::Target>> find_route(const Publish& publish);
  // Calls with (shard, targets there, message) for each share of it (node/message_shares.h).
  template <typename Put>
  void for_each_part(const Publish& publish, std::span<const broker::Target> targets, Put&& put) {
    send_shares(at_.topology, {publish.message, publish.headers, at_.host}, targets,
                [&](const broker::IncomingMessage& message, std::span<const broker::Target> share) {
                  for_each_shard(share, [&](ShardId shard, std::span<const broker::Target> there) {
                    put(shard, there, message);
                  });
                });
  }
  // Whether anybody has the message then.
  static PublishResult reached(std::span<const broker::Target> targets) {
    const bool any =
        std::any_of(targets.begin(), targets.end(), [](const broker::Target& to) { return !to.history; });
    return any ? PublishResult::routed : PublishResult::unroutable;
  }
  // To where its route leads, which was just found.
  void count_publish(const Publish& publish, std::span<const broker::Target> targets) {
    if (rates_ != nullptr) [[unlikely]]
      keep_to_rates(publish.message.body_bytes);
    if (traced_) [[unlikely]]
      trace_publish(publish, targets);
    ++counts_[SessionCount::received];
    if (publish.seq != 0) ++counts_[SessionCount::received_confirm];
    if (exchange_ != nullptr) {
      ++exchange_->counts[ExchangeCount::publish_in];
      exchange_->counts[ExchangeCount::publish_out] += targets.size();
    }
    if (targets.empty()) return count_unroutable(publish);
    ++counts_[SessionCount::routed];
  }
  std::optional<ShardId> shard_of_queue(QueueId queue) const;

  // --- from the shard ---

  SessionEvents& events() { return events_; }
  const SessionEvents& events() const { return events_; }
  std::uint64_t connected_at_ms() const { return connected_at_ms_; }
  // That the client gave.
  broker::Table properties() const;
  void take_delivery(ShardId from, const DeliverItem& item);
  void take_ack(ShardId from, const PublishAck& ack);
  void take_reply(SessionReply reply);
  void take_consumer_gone(const ConsumerGone& gone);
  void take_body_piece(BodyPieceRead read);
  void take_pool_news(const PoolNews& news);
  void take_direct(const ReplyMessage& message);
  // Who waits for replies there; no_consumer: nobody.
  ConsumerNumber listener(const ReplyAddress& address) const;
  void tell_confirms();
  void give_back_windows();
  void set_shard_flow(bool open, const std::string& alarm);
  void refresh_rates();
  void refresh_tracing();
  void go_on();  // publishing, after it was ahead of its rate

 private:
  enum class Request : std::uint8_t {
    none,
    definition,
    declare_queue,
    absence,
    check_delete,
    remove_queue,
    queue
  };

  template <typename Visit>
  static void for_each_shard(std::span<const broker::Target> targets, Visit&& visit) {
    for (std::size_t from = 0; from < targets.size();) {
      const ShardId shard = targets[from].shard;
      std::size_t until = from + 1;
      while (until < targets.size() && targets[until].shard == shard) ++until;
      visit(shard, targets.subspan(from, until - from));
      from = until;
    }
  }
  Result<std::span<const broker::Target>> find_route_of_message(const Publish& publish);
  Result<std::span<const broker::Target>> find_route_of_keys(const Publish& publish);
  void keep_properties();
  bool to_be_traced(std::string_view exchange) const;
  broker::Table trace_headers(std::string_view exchange, std::uint32_t channel) const;
  void trace_publish(const Publish& publish, std::span<const broker::Target> targets);
  void trace_delivery(const Delivery& delivery, std::uint32_t channel);
  bool is_of_broker() const { return protocol_of(id_) == Protocol::none; }
  broker::Table connection_facts() const;
  void tell_channel(std::string_view event, std::uint32_t number) const;
  ExchangeUse& use_of(std::string_view exchange);
  void count_unroutable(const Publish& publish);
  void window_shrunk();
  Result<PublishResult> publish_large(const Publish& publish);
  // `body`: what the message has of a body was sent before.
  void send_all(const Publish& publish, std::uint32_t publisher, std::span<const broker::Target> targets,
                BodyNumber body);
  std::uint32_t note_published(const Publish& publish);
  std::uint64_t window_bytes() const;
  void end_body(const std::vector<ShardId>& shards, BodyNumber body);
  void open_delivered_body(ShardId from, Delivery& delivery);
  void open_walked_bodies(Walked& walked);
  void send_reply(const Publish& publish, std::string_view key);
  void lend(PoolNumber number, PrefetchPool& pool);
  std::uint32_t confirming_publisher(PublisherNumber number);
  void want_confirms();
  void keep_to_rates(std::uint64_t body_bytes);
  bool publishing_open() const { return shard_flow_open_ && window_open_ && rate_open_; }
  void update_flow();
  broker::Who who() const { return {info_.user, info_.grants.get()}; }
  Status authorize_topic(const broker::BindingDefinition& binding) const;
  void begin(Request request);
  void finish(Reply reply);
  void to_queue(ShardId shard, decltype(QueueRequest::what) what);
  // The request in flight is one for the audit.
  void will_audit(std::string_view action, std::string object);
  void audit_outcome(const Error* error) const;
  void to_meta(broker::Request request);
  Result<const broker::QueueDefinition*> find_queue(const std::string& name);
  void make_sure_of_absence(const std::string& queue);

  Sessions& home_;
  const SessionSurroundings& at_;
  SessionId id_;
  SessionInfo info_;                   // but for the properties
  std::vector<std::byte> properties_;  // a table (broker/value_codec.h): there are many connections
  Tenancy tenancy_;
  std::unique_ptr<PublishRates> rates_;  // null: none are set
  SessionEvents& events_;
  Counters<SessionCount>& counts_;  // of the shard's sessions of the protocol
  std::uint64_t connected_at_ms_;   // wall clock
  std::uint64_t channels_ = 0;
  bool traced_ = false;            // its vhost is
  std::uint32_t get_channel_ = 0;  // of the get in flight
  Request request_ = Request::none;
  std::string queue_name_;  // of the request in flight
  // What the audit has of it; an empty action: nothing.
  std::string_view audited_action_;
  std::string audited_object_;
  bool audited_changed_ = false;
  Deleted deleted_;
  ShardId deleting_on_;

  // Publishing. A publisher has an id of its own on the way: a number that is used again must not get the acks that
  // were on their way to its predecessor.
  struct Publisher {
    Publisher(PublisherNumber its_number, std::uint16_t shards) : number(its_number), window(shards) {}
    PublisherNumber number;
    ConfirmWindow window;
    bool commits = false;         // they are what it counts, not messages
    std::uint64_t rejected = 0;   // and not told yet
    std::uint64_t timed_seq = 0;  // whose time to its confirm is taken; 0: none
    std::uint64_t timed_ns = 0;
  };
  void count_confirmed(Publisher& publisher, std::uint64_t safe);
  std::unordered_map<std::uint32_t, Publisher> confirms_;  // by id
  std::unordered_map<PublisherNumber, std::uint32_t> publisher_ids_;
  std::uint32_t last_publisher_id_ = 0;
  Publisher* last_confirms_ = nullptr;
  std::uint32_t last_confirms_id_ = 0;
  bool confirming_ = false;         // in home_'s list
  std::uint64_t unsafe_bytes_ = 0;  // published and not yet taken or synced
  bool flow_told_open_ = true, shard_flow_open_ = true, window_open_ = true, rate_open_ = true;
  std::string alarm_;

  RouteCache routes_;
  ExchangeUse* exchange_ = nullptr;         // of the route that was found last; null: it is not counted
  Rng rng_;                                 // for exchanges that choose at random
  std::vector<broker::Target> targets_;     // of a message with several keys
  std::vector<broker::Target> with_queue_;  // of one that goes to a queue besides

  // Large bodies on their way in, and being read.
  struct OpenBody {
    std::vector<broker::Target> targets;  // grouped by shard
    std::vector<ShardId> shards;          // of them
    std::uint64_t left_bytes = 0;         // to be appended
  };
  struct Reading {
    ShardId from;
    std::uint64_t end = 0;  // MessageAttributes::pieces_end
    std::uint32_t asked = 0, told = 0;
    // One from the disk comes later than the next one from memory.
    std::map<std::uint32_t, BodyPieceRead> early;
  };
  std::unordered_map<BodyNumber, OpenBody> open_bodies_;
  std::unordered_map<BodyNumber, Reading> readings_;
  BodyNumber last_body_ = no_body;

  // Consuming.
  struct ConsumerPlace {
    ShardId shard;
    std::uint32_t channel = 0;
  };
  std::unordered_map<ConsumerNumber, ConsumerPlace> consumers_;
  ConsumerNumber consuming_ = no_consumer;  // asked for, not answered yet
  std::vector<bool> used_shards_;           // where it has, or had, consumers
  std::vector<WindowGrant> taken_;          // per shard: received and not given back
  bool granting_ = false;                   // in home_'s list
  bool congested_ = false;
  bool owns_exclusive_ = false;
  std::unordered_map<PoolNumber, PrefetchPool> pools_;

  // Direct replies.
  struct Listener {
    ReplyAddress address;
    ConsumerNumber consumer = no_consumer;
  };
  std::vector<Listener> listeners_;
  std::size_t unread_reply_bytes_ = 0;  // that came while it is congested
};

}  // namespace weir::node
