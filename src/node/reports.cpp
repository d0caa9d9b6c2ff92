#include "node/reports.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "broker/own_exchanges.h"
#include "node/message_shares.h"
#include "node/publish_batch.h"
#include "node/queue_host.h"

namespace weir::node {

namespace {

class OwnHeaders final : public broker::HeaderSource {
 public:
  OwnHeaders(const broker::Table& headers, Rng& rng) : headers_(headers), rng_(rng) {}
  const broker::Table& headers() override { return headers_; }
  std::uint64_t random() override { return rng_.next(); }

 private:
  const broker::Table& headers_;
  Rng& rng_;
};

}  // namespace

void Reports::look_who_listens() {
  version_ = at_.topology.version();
  wanted_ = at_.topology.count_bindings_from(at_.event_vhost, broker::event_exchange) > 0;
}

void Reports::add(std::string_view key, broker::Table facts) {
  if (events_.size() >= events_per_turn_max) {
    ++lost_;
    return;
  }
  events_.push_back({std::string(key), std::move(facts), at_.clock.wall_ms()});
}

void Reports::publish_events() {
  if (lost_ > 0) log_warning("events", "{} events were too many at a time, and were not published", lost_);
  lost_ = 0;
  std::vector<Event> events;
  events.swap(events_);
  for (Event& event : events) {
    broker::Table headers;
    headers.append("timestamp_in_ms", {static_cast<std::int64_t>(event.at_ms)});
    headers.append("node", {at_.node_name});
    for (const broker::Field& fact : event.facts.fields()) headers.set(fact.key, fact.value);
    publish(at_.event_vhost, broker::event_exchange, event.key, headers, true, event.at_ms / 1'000, {},
            nullptr);
  }
}

bool Reports::traces(std::string_view vhost) const {
  return at_.forms.make != nullptr && at_.topology.count_bindings_from(vhost, broker::trace_exchange) > 0;
}

void Reports::trace(std::string_view vhost, const std::string& key, const broker::Table& headers,
                    std::span<const Bytes> body, Chunk* chunk) {
  std::size_t bytes = 0;
  for (const Bytes& piece : body) bytes += piece.size();
  const bool large = bytes >= limits::large_body_bytes;
  publish(vhost, broker::trace_exchange, key, headers, false, 0, large ? std::span<const Bytes>() : body,
          large ? nullptr : chunk);
}

void Reports::publish(std::string_view vhost, std::string_view exchange, std::string_view key,
                      const broker::Table& headers, bool persistent, std::uint64_t timestamp_s,
                      std::span<const Bytes> body, Chunk* chunk) {
  key = key.substr(0, limits::name_bytes_max);
  OwnHeaders source(headers, rng_);
  targets_.clear();
  if (!at_.topology.route(vhost, exchange, key, source, false, targets_) || targets_.empty()) return;
  std::sort(targets_.begin(), targets_.end(), [](const broker::Target& a, const broker::Target& b) {
    return a.shard != b.shard ? a.shard < b.shard : a.queue < b.queue;
  });
  const std::vector<std::byte> properties = at_.forms.make(headers, persistent, timestamp_s);
  if (properties.size() > limits::native_properties_bytes_max) return;
  broker::IncomingMessage message;
  message.native = broker::NativeForm::amqp091;
  message.persistent = persistent;
  message.exchange = exchange;
  message.routing_key = key;
  message.properties = properties;
  message.body = body;
  for (const Bytes& piece : body) message.body_bytes += piece.size();
  const Origin origin{internal_session(at_.self), 0, 0};
  // By value: a delivery can come back here.
  const std::vector<broker::Target> targets = targets_;
  send_shares(at_.topology, {message, &source, at_.host}, targets,
              [&](const broker::IncomingMessage& share, std::span<const broker::Target> of) {
                for (std::size_t begin = 0, end = 0; begin < of.size(); begin = end) {
                  const ShardId shard = of[begin].shard;
                  while (end < of.size() && of[end].shard == shard) ++end;
                  const auto there = of.subspan(begin, end - begin);
                  if (shard == at_.self) {
                    at_.host.enqueue(there, share, origin);
                  } else {
                    add_publish(at_.outbox.batch<PublishBatch>(shard), origin, share, chunk, there);
                  }
                }
              });
}

}  // namespace weir::node
