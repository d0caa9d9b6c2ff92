// What a session's messages are traced as: copies for amq.rabbitmq.trace, with what RabbitMQ tells of them.
#include <fmt/format.h>

#include "broker/own_exchanges.h"
#include "node/observe.h"
#include "node/reports.h"
#include "node/shard_session.h"

namespace weir::node {

namespace {

broker::Array texts(std::string_view first, std::span<const std::string_view> more) {
  broker::Array array;
  array.push_back({std::string(first)});
  for (const std::string_view one : more) array.push_back({std::string(one)});
  return array;
}

}  // namespace

// What is traced is not traced again.
bool ShardSession::to_be_traced(std::string_view exchange) const {
  return exchange != broker::trace_exchange && at_.reports.traces(info_.vhost);
}

broker::Table ShardSession::trace_headers(std::string_view exchange, std::uint32_t channel) const {
  broker::Table headers;
  headers.append("exchange_name", {std::string(exchange)});
  headers.append("node", {at_.reports.at().node_name});
  headers.append("vhost", {info_.vhost});
  headers.append("connection", {connection_name(info_.peer)});
  headers.append("channel", {static_cast<std::int64_t>(channel)});
  headers.append("user", {info_.user});
  return headers;
}

void ShardSession::trace_publish(const Publish& publish, std::span<const broker::Target> targets) {
  const broker::IncomingMessage& message = publish.message;
  if (!to_be_traced(message.exchange)) return;
  broker::Table headers = trace_headers(message.exchange, publish.channel);
  headers.append("routing_keys", {texts(message.routing_key, publish.more_keys)});
  headers.append("properties", {at_.reports.at().forms.properties(message.native, message.properties)});
  broker::Array queues;
  for (const broker::Target& target : targets) {
    const broker::QueueDefinition* const queue = at_.topology.find_queue(target.queue);
    if (queue != nullptr && queue->role == broker::QueueRole::plain) queues.push_back({queue->name});
  }
  headers.append("routed_queues", {std::move(queues)});
  at_.reports.trace(info_.vhost, fmt::format("publish.{}", message.exchange), headers, message.body,
                    publish.chunk);
}

void ShardSession::trace_delivery(const Delivery& delivery, std::uint32_t channel) {
  const broker::StoredMessage& message = delivery.message;
  const broker::QueueDefinition* const queue = at_.topology.find_queue(delivery.queue);
  if (queue == nullptr || delivery.looked_at || !to_be_traced(message.exchange)) return;
  broker::Table headers = trace_headers(message.exchange, channel);
  headers.append("routing_keys", {texts(message.routing_key, {})});
  headers.append("properties", {at_.reports.at().forms.properties(message.native, message.properties)});
  headers.append("redelivered", {static_cast<std::int64_t>(delivery.redelivered ? 1 : 0)});
  at_.reports.trace(info_.vhost, fmt::format("deliver.{}", queue->name), headers, {&message.body, 1},
                    delivery.chunk);
}

void ShardSession::refresh_tracing() {
  const broker::VhostDefinition* const vhost = at_.topology.find_vhost(info_.vhost);
  traced_ = vhost != nullptr && vhost->tracing;
}

// --- events of connections and channels, as RabbitMQ's event exchange has them ---

broker::Table ShardSession::connection_facts() const {
  broker::Table facts;
  facts.append("name", {connection_name(info_.peer)});
  facts.append("protocol", {info_.protocol});
  facts.append("host", {info_.peer.local_address});
  facts.append("port", {static_cast<std::int64_t>(info_.peer.local_port)});
  facts.append("peer_host", {info_.peer.address});
  facts.append("peer_port", {static_cast<std::int64_t>(info_.peer.port)});
  facts.append("auth_mechanism", {info_.auth_mechanism});
  facts.append("user", {info_.user});
  facts.append("user_who_performed_action", {info_.user});
  facts.append("vhost", {info_.vhost});
  facts.append("connected_at", {static_cast<std::int64_t>(connected_at_ms_)});
  facts.append("client_properties", {info_.properties.empty() ? properties() : info_.properties});
  return facts;
}

void ShardSession::tell_channel(std::string_view event, std::uint32_t number) const {
  if (!at_.reports.wanted()) return;
  broker::Table facts;
  facts.append("name", {fmt::format("{} ({})", connection_name(info_.peer), number)});
  facts.append("connection", {connection_name(info_.peer)});
  facts.append("number", {static_cast<std::int64_t>(number)});
  facts.append("user", {info_.user});
  facts.append("user_who_performed_action", {info_.user});
  facts.append("vhost", {info_.vhost});
  at_.reports.add(event, std::move(facts));
}

}  // namespace weir::node
