#include "node/shard_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "broker/value_codec.h"
#include "node/publish_batch.h"
#include "node/transaction.h"
#include "node/walk.h"

namespace weir::node {

namespace {

class WatchedHeaders final : public broker::HeaderSource {
 public:
  WatchedHeaders(broker::HeaderSource* source, Rng& rng) : source_(source), rng_(rng) {}
  const broker::Table& headers() override {
    asked = true;
    return source_ != nullptr ? source_->headers() : none_;
  }
  std::optional<std::string> property(std::string_view name) override {
    asked = true;
    return source_ != nullptr ? source_->property(name) : std::nullopt;
  }
  std::uint64_t random() override {
    asked = true;
    return rng_.next();
  }
  bool asked = false;

 private:
  broker::HeaderSource* source_;
  Rng& rng_;
  broker::Table none_;
};

void sort_by_shard(std::vector<broker::Target>& targets) {
  std::sort(targets.begin(), targets.end(), [](const broker::Target& a, const broker::Target& b) {
    return a.shard != b.shard ? a.shard < b.shard : a.queue < b.queue;
  });
}

}  // namespace

bool extends(std::span<const SettleItem> items, SessionId session, ConsumerNumber consumer, QueueId queue,
             Seq seq, Outcome outcome) {
  if (items.empty()) return false;
  const SettleItem& last = items.back();
  return last.session == session && last.consumer == consumer && last.queue == queue &&
         last.outcome == outcome && last.first.value + last.count == seq.value;
}

ShardSession::ShardSession(Sessions& home, SessionId id, SessionInfo info, Tenancy tenancy,
                           SessionEvents& events)
    : home_(home),
      at_(home.surroundings_),
      id_(id),
      info_(std::move(info)),
      tenancy_(std::move(tenancy)),
      rates_(tenancy_.rates(at_.topology, info_.user, info_.vhost)),
      events_(events),
      counts_(at_.traffic.of(protocol_named(info_.protocol)).sessions),
      connected_at_ms_(at_.clock.wall_ms()),
      rng_(id.value),
      used_shards_(at_.shards, false),
      taken_(at_.shards) {
  if (at_.reports.wanted() && is_of_client(id_)) at_.reports.add("connection.created", connection_facts());
  keep_properties();
  refresh_tracing();
  if (!is_of_broker()) ++counts_[SessionCount::connections_opened];
}

ShardSession::~ShardSession() {
  while (!open_bodies_.empty()) abort_body(open_bodies_.begin()->first);
  if (at_.reports.wanted() && is_of_client(id_)) at_.reports.add("connection.closed", connection_facts());
  if (!is_of_broker()) ++counts_[SessionCount::connections_closed];
  counts_[SessionCount::channels_closed] += channels_;
  for (std::uint16_t shard = 0; shard < at_.shards; ++shard) {
    if (used_shards_[shard]) to_queue(ShardId{shard}, EndSessionRequest{});
  }
  if (owns_exclusive_) {
    at_.to_meta({at_.self, false, {info_.user, id_}, broker::EndSession{id_}});
  }
  home_.sessions_.erase(id_);
  if (is_of_client(id_)) --home_.clients_;
  if (home_.last_ == this) home_.last_ = nullptr;
  at_.wake();
}

// A password does not expire: only what a token granted can be renewed.
Status ShardSession::renew(std::string_view secret) {
  if (info_.grants == nullptr) return {};
  Result<Identity> identity = at_.tokens->check(secret, at_.clock.wall_ms());
  if (!identity) return std::unexpected(std::move(identity).error());
  if (identity->user != info_.user)
    return fail(ErrorCode::access_refused, "Not allowed to change username on refreshed token");
  WEIR_TRY(at_.topology.authorize_vhost({identity->user, identity->grants.get()}, info_.vhost));
  info_.grants = std::move(identity->grants);
  info_.expires_ms = identity->expires_ms;
  routes_ = {};  // they were allowed by the old one
  home_.end_at(id_, info_.expires_ms);
  return {};
}

void ShardSession::keep_properties() {
  if (info_.properties.empty()) return;
  Writer writer(properties_);
  broker::encode_table(std::exchange(info_.properties, {}), writer);
  if (properties_.size() > limits::client_properties_bytes_max) properties_.clear();
  properties_.shrink_to_fit();
}

broker::Table ShardSession::properties() const {
  broker::Table table;
  if (properties_.empty()) return table;
  Reader reader(properties_);
  const bool whole = broker::decode_table(reader, table);
  WEIR_ASSERT(whole);
  return table;
}

Status ShardSession::open_channel(std::uint32_t number) {
  WEIR_TRY(tenancy_.open_channel(at_.topology, info_.user));
  ++channels_;
  ++counts_[SessionCount::channels_opened];
  tell_channel("channel.created", number);
  return {};
}

void ShardSession::close_channel(std::uint32_t number) {
  tenancy_.close_channel();
  --channels_;
  ++counts_[SessionCount::channels_closed];
  tell_channel("channel.closed", number);
}

// --- publishing ---

ExchangeUse& ShardSession::use_of(std::string_view exchange) {
  return at_.exchanges.find(info_.vhost, exchange, at_.clock.monotonic_ns() / 1'000'000);
}

void ShardSession::count_unroutable(const Publish& publish) {
  ++counts_[publish.mandatory ? SessionCount::unroutable_returned : SessionCount::unroutable_dropped];
}

Result<std::span<const broker::Target>> ShardSession::find_route(const Publish& publish) {
  if (publish.and_queue.empty()) [[likely]]
    return find_route_of_message(publish);
  with_queue_.clear();
  if (!publish.message.exchange.empty() || !publish.message.routing_key.empty()) {
    const Result<std::span<const broker::Target>> route = find_route_of_message(publish);
    if (!route) return route;
    with_queue_.assign(route->begin(), route->end());
  } else {
    exchange_ = &use_of({});
  }
  const broker::QueueDefinition* const queue = at_.topology.find_queue(info_.vhost, publish.and_queue);
  if (queue == nullptr) return std::span<const broker::Target>(with_queue_);
  std::erase_if(with_queue_, [&](const broker::Target& one) { return one.queue == queue->id; });
  with_queue_.push_back({queue->id, queue->shard, queue->durable});
  sort_by_shard(with_queue_);
  return std::span<const broker::Target>(with_queue_);
}

Result<std::span<const broker::Target>> ShardSession::find_route_of_message(const Publish& publish) {
  if (!publish.more_keys.empty()) [[unlikely]]
    return find_route_of_keys(publish);
  const broker::Topology& topology = at_.topology;
  const std::string_view exchange = publish.message.exchange;
  const std::string_view key = publish.message.routing_key;
  RouteCache::Route* route = &routes_.place(exchange, key);
  if (RouteCache::is_for(*route, exchange, key, topology.version())) [[likely]] {
    exchange_ = route->use;
    return std::span<const broker::Target>(route->targets);
  }
  if (exchange.empty() && is_reply_key(key)) [[unlikely]] {
    WEIR_TRY(topology.authorize(who(), info_.vhost, broker::Access::write, "amq.default"));
    exchange_ = &use_of(exchange);
    send_reply(publish, key);
    return std::span<const broker::Target>();
  }
  if (routes_.note_miss(*route)) route = &routes_.place(exchange, key);
  route->valid = false;
  WEIR_TRY(topology.authorize(who(), info_.vhost, broker::Access::write,
                              exchange.empty() ? "amq.default" : exchange));
  WEIR_TRY(
      topology.authorize_topic({who(), info_.client_id}, info_.vhost, broker::Access::write, exchange, key));
  WatchedHeaders headers(publish.headers, rng_);
  route->targets.clear();
  WEIR_TRY(topology.route(info_.vhost, exchange, key, headers, true, route->targets));
  sort_by_shard(route->targets);
  route->exchange.assign(exchange);
  route->key.assign(key);
  route->version = topology.version();
  exchange_ = route->use = &use_of(exchange);
  route->valid = !headers.asked;  // where headers decide, the next message may go another way
  return std::span<const broker::Target>(route->targets);
}

// The union of what all its keys reach.
Result<std::span<const broker::Target>> ShardSession::find_route_of_keys(const Publish& publish) {
  const std::string_view exchange = publish.message.exchange;
  WEIR_TRY(at_.topology.authorize(who(), info_.vhost, broker::Access::write,
                                  exchange.empty() ? "amq.default" : exchange));
  exchange_ = nullptr;
  WatchedHeaders headers(publish.headers, rng_);
  targets_.clear();
  const auto add = [&](std::string_view key) -> Status {
    if (exchange.empty() && is_reply_key(key)) {
      send_reply(publish, key);
      return {};
    }
    WEIR_TRY(at_.topology.authorize_topic({who(), info_.client_id}, info_.vhost, broker::Access::write,
                                          exchange, key));
    return at_.topology.route(info_.vhost, exchange, key, headers, true, targets_);
  };
  WEIR_TRY(add(publish.message.routing_key));
  for (const std::string_view key : publish.more_keys) WEIR_TRY(add(key));
  sort_by_shard(targets_);
  const auto same = [](const broker::Target& a, const broker::Target& b) { return a.queue == b.queue; };
  targets_.erase(std::unique(targets_.begin(), targets_.end(), same), targets_.end());
  if (targets_.size() > limits::fan_out_max) {
    return fail(ErrorCode::limit_exceeded,
                fmt::format("a message reaches more than {} queues", limits::fan_out_max));
  }
  exchange_ = &use_of(publish.message.exchange);
  return std::span<const broker::Target>(targets_);
}

Result<PublishResult> ShardSession::publish(const Publish& publish) {
  if (publish.message.body_bytes >= at_.body_sizes.large_bytes && publish.message.persistent) [[unlikely]]
    return publish_large(publish);
  const Result<std::span<const broker::Target>> route = find_route(publish);
  if (!route) return std::unexpected(route.error());
  const std::span<const broker::Target> targets = *route;
  const std::uint32_t publisher = note_published(publish);
  count_publish(publish, targets);
  if (targets.empty()) return PublishResult::unroutable;
  send_all(publish, publisher, targets, no_body);
  window_shrunk();
  return reached(targets);
}

// Returns the publisher's id for the way.
std::uint32_t ShardSession::note_published(const Publish& publish) {
  if (publish.seq == 0) return 0;
  const std::uint32_t publisher = confirming_publisher(publish.publisher);
  last_confirms_->window.note_published(publish.seq);
  if (last_confirms_->timed_seq == 0) {
    last_confirms_->timed_seq = publish.seq;
    last_confirms_->timed_ns = at_.clock.monotonic_ns();
  }
  return publisher;
}

void ShardSession::send_all(const Publish& publish, std::uint32_t publisher,
                            std::span<const broker::Target> targets, BodyNumber body) {
  for_each_part(
      publish, targets,
      [&](ShardId shard, std::span<const broker::Target> there, const broker::IncomingMessage& message) {
        if (publish.seq != 0) last_confirms_->window.note_target(shard, publish.seq);
        unsafe_bytes_ += message.body_bytes;
        const Origin origin{id_, publisher, publish.seq};
        if (shard != at_.self) {
          add_publish(at_.outbox.batch<PublishBatch>(shard), origin, message, publish.chunk, there, body);
        } else if (body != no_body) {
          at_.host.enqueue_large(there, message, origin, body);
        } else {
          at_.host.enqueue(there, message, origin);
        }
      });
}

void ShardSession::window_shrunk() {
  if (unsafe_bytes_ <= window_bytes() || !window_open_) return;
  window_open_ = false;
  update_flow();
}

// --- transactions ---

std::unique_ptr<Transaction> ShardSession::begin_transaction() {
  return std::make_unique<ShardTransaction>(*this, at_.shards);
}

void ShardSession::commit(std::unique_ptr<Transaction> transaction, PublisherNumber number,
                          std::uint64_t seq) {
  const std::uint32_t publisher = confirming_publisher(number);
  ConfirmWindow& window = last_confirms_->window;
  last_confirms_->commits = true;
  window.note_published(seq);
  auto& parts = static_cast<ShardTransaction&>(*transaction).parts();
  for (std::uint16_t shard = 0; shard < at_.shards; ++shard) {
    if (parts[shard] != nullptr) window.note_target(ShardId{shard}, seq);
  }
  for (std::uint16_t shard = 0; shard < at_.shards; ++shard) {
    std::unique_ptr<TransactionBatch>& part = parts[shard];
    if (part == nullptr) continue;
    part->session = id_;
    part->publisher = publisher;
    part->seq = seq;
    unsafe_bytes_ += part->body_bytes;
    if (ShardId{shard} == at_.self) {
      at_.host.commit(*part);
      at_.wake();
    } else {
      at_.outbox.add(ShardId{shard}, std::move(part));
    }
  }
  window_shrunk();
}

std::optional<ShardId> ShardSession::shard_of_queue(QueueId queue) const {
  const broker::QueueDefinition* const definition = at_.topology.find_queue(queue);
  if (definition == nullptr) return std::nullopt;
  return definition->shard;
}

// Points last_confirms_ at the publisher's window; returns its id for the way.
std::uint32_t ShardSession::confirming_publisher(PublisherNumber number) {
  if (last_confirms_ == nullptr || last_confirms_->number != number) {
    std::uint32_t& id = publisher_ids_[number];
    if (id == 0) {
      id = ++last_publisher_id_;
      confirms_.try_emplace(id, number, at_.shards);
    }
    last_confirms_ = &confirms_.at(id);
    last_confirms_id_ = id;
  }
  want_confirms();
  return last_confirms_id_;
}

void ShardSession::want_confirms() {
  if (confirming_) return;
  confirming_ = true;
  home_.confirming_.push_back(id_);
}

void ShardSession::close_publisher(PublisherNumber number) {
  const auto at = publisher_ids_.find(number);
  if (at == publisher_ids_.end()) return;
  confirms_.erase(at->second);
  publisher_ids_.erase(at);
  last_confirms_ = nullptr;
}

void ShardSession::take_ack(ShardId from, const PublishAck& ack) {
  unsafe_bytes_ -= std::min(unsafe_bytes_, ack.bytes);
  if (!window_open_ && unsafe_bytes_ <= window_bytes() / 2) {
    window_open_ = true;
    update_flow();
  }
  const auto at = confirms_.find(ack.publisher);
  if (ack.up_to == 0 || at == confirms_.end()) return;
  at->second.window.note_safe(from, ack.up_to);
  want_confirms();
  if (ack.rejected == 0) return;
  ++at->second.rejected;
  events_.on_rejected(at->second.number, ack.rejected, ack.rejected);
}

void ShardSession::tell_confirms() {
  confirming_ = false;
  // Whoever hears it may publish by another publisher, or close one.
  auto& news = home_.confirm_news_;
  news.clear();
  for (auto& [id, publisher] : confirms_) {
    const std::uint64_t safe = publisher.window.safe_up_to();
    if (safe <= publisher.window.told) continue;
    count_confirmed(publisher, safe);
    publisher.window.told = safe;
    news.push_back({id, publisher.number, safe});
  }
  for (const Sessions::ConfirmNews& confirmed : news) {
    if (confirms_.contains(confirmed.id)) events_.on_confirmed(confirmed.publisher, confirmed.up_to);
  }
}

void ShardSession::count_confirmed(Publisher& publisher, std::uint64_t safe) {
  if (publisher.commits) return;
  const std::uint64_t told = safe - publisher.window.told, rejected = std::min(publisher.rejected, told);
  publisher.rejected -= rejected;
  counts_[SessionCount::confirmed] += told - rejected;
  if (publisher.timed_seq == 0 || publisher.timed_seq > safe) return;
  at_.traffic.confirm_us.add((at_.clock.monotonic_ns() - publisher.timed_ns) / 1'000);
  publisher.timed_seq = 0;
}

void ShardSession::set_shard_flow(bool open, const std::string& alarm) {
  shard_flow_open_ = open;
  const bool alarm_changed = alarm_ != alarm;
  alarm_ = alarm;
  if (alarm_changed) flow_told_open_ = !publishing_open();  // tell in any case
  update_flow();
}

void ShardSession::keep_to_rates(std::uint64_t body_bytes) {
  const std::uint64_t now_ns = at_.clock.monotonic_ns();
  const std::uint64_t wait_ns = rates_->take_ns(body_bytes, now_ns);
  if (wait_ns == 0 || !rate_open_) return;
  rate_open_ = false;
  home_.hold_until(id_, now_ns + wait_ns);
  update_flow();
}

void ShardSession::go_on() {
  rate_open_ = true;
  update_flow();
}

void ShardSession::refresh_rates() { rates_ = tenancy_.rates(at_.topology, info_.user, info_.vhost); }

void ShardSession::update_flow() {
  const bool open = publishing_open();
  if (open == flow_told_open_) return;
  flow_told_open_ = open;
  events_.on_publish_flow(open, alarm_);
}

// --- consuming ---

void ShardSession::take_delivery(ShardId from, const DeliverItem& item) {
  WindowGrant& taken = taken_[from.value];
  taken.bytes += item.bytes;
  ++taken.messages;
  if (!granting_) {
    granting_ = true;
    home_.granting_.push_back(id_);
  }
  Delivery delivery{
      item.consumer, item.redelivered, item.queue,    item.seq, broker::view_envelope(item.envelope),
      item.chunk,    item.returns,     item.looked_at};
  if (!delivery.message.extras.empty()) [[unlikely]]
    open_delivered_body(from, delivery);
  const auto consumer = consumers_.find(item.consumer);
  if (consumer == consumers_.end()) {
    if (delivery.body != no_body) close_body(delivery.body);
    if (item.looked_at) return;
    return home_.put_back(from, id_, item.consumer, item.queue, item.seq);
  }
  if (traced_) [[unlikely]]
    trace_delivery(delivery, consumer->second.channel);
  events_.on_delivery(delivery);
}

void ShardSession::give_back_windows() {
  granting_ = false;
  if (congested_) return;
  for (std::uint16_t shard = 0; shard < at_.shards; ++shard) {
    WindowGrant& taken = taken_[shard];
    if (taken.bytes < limits::delivery_window_bytes / 4 &&
        taken.messages < limits::delivery_window_messages / 4) {
      continue;  // the rest of the window is open
    }
    taken.session = id_;
    if (ShardId{shard} == at_.self) {
      at_.host.grant(taken);
    } else {
      at_.outbox.batch<WindowBatch>(ShardId{shard}).grants.push_back(taken);
    }
    taken = {};
    at_.wake();
  }
}

void ShardSession::set_congested(bool congested) {
  if (congested_ == congested) return;
  congested_ = congested;
  unread_reply_bytes_ = 0;
  if (!congested && !granting_) {
    granting_ = true;
    home_.granting_.push_back(id_);
    at_.wake();
  }
}

void ShardSession::settle(ConsumerNumber consumer, QueueId queue, Seq seq, Outcome outcome) {
  const std::optional<ShardId> shard = shard_of_queue(queue);
  if (!shard) return;  // the queue has gone, and the message with it
  if (*shard == at_.self) {
    at_.host.settle({id_, consumer, queue, seq, 1, outcome});
    return;
  }
  auto& items = at_.outbox.batch<SettleBatch>(*shard).items;
  if (extends(items, id_, consumer, queue, seq, outcome)) {
    ++items.back().count;
  } else {
    items.push_back({id_, consumer, queue, seq, 1, outcome});
  }
}

void ShardSession::consume(ConsumeOptions options) {
  begin(Request::queue);
  const Result<const broker::QueueDefinition*> queue = find_queue(options.queue);
  if (!queue) return finish(std::unexpected(queue.error()));
  const ShardId shard = (*queue)->shard;
  used_shards_[shard.value] = true;
  consumers_[options.consumer] = {shard, options.channel};
  consuming_ = options.consumer;
  to_queue(shard, ConsumeRequest{(*queue)->id, std::move(options)});
}

void ShardSession::cancel(ConsumerNumber consumer) {
  begin(Request::queue);
  const auto at = consumers_.find(consumer);
  if (at == consumers_.end()) return finish(Cancelled{consumer});
  to_queue(at->second.shard, CancelRequest{consumer, true});
}

void ShardSession::drop_consumer(ConsumerNumber consumer) {
  const auto at = consumers_.find(consumer);
  if (at == consumers_.end()) return;
  const ShardId shard = at->second.shard;
  consumers_.erase(at);
  to_queue(shard, CancelRequest{consumer, false});
}

void ShardSession::set_prefetch(ConsumerNumber consumer, std::uint32_t prefetch) {
  const auto at = consumers_.find(consumer);
  if (at != consumers_.end()) to_queue(at->second.shard, PrefetchRequest{consumer, prefetch});
}

void ShardSession::get(std::string queue, bool no_ack, std::uint32_t channel) {
  begin(Request::queue);
  get_channel_ = channel;
  const Result<const broker::QueueDefinition*> found = find_queue(queue);
  if (!found) return finish(std::unexpected(found.error()));
  used_shards_[(*found)->shard.value] = true;
  to_queue((*found)->shard, GetRequest{(*found)->id, no_ack});
}

void ShardSession::walk(WalkOptions options) {
  begin(Request::queue);
  const Result<const broker::QueueDefinition*> found = find_queue(options.queue);
  if (!found) return finish(std::unexpected(found.error()));
  if (options.only && *options.only != (*found)->id) {
    return finish(
        fail(ErrorCode::precondition_failed,
             fmt::format("queue '{}' in vhost '{}' is another one by now", options.queue, info_.vhost)));
  }
  used_shards_[(*found)->shard.value] = true;
  to_queue((*found)->shard, WalkRequest{(*found)->id, std::make_shared<WalkOptions>(std::move(options))});
}

void ShardSession::take_consumer_gone(const ConsumerGone& gone) {
  if (consumers_.erase(gone.consumer) > 0) events_.on_consumer_cancelled(gone.consumer, gone.reason);
}

}  // namespace weir::node
