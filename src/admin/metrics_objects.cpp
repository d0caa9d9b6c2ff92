// Families of what there are many of: queues, channels, connections, exchanges.
#include <algorithm>
#include <limits>

#include "admin/metrics_families.h"

namespace weir::admin {
namespace {

using broker::QueueCount;
using node::ChannelCount;
using node::ChannelRow;
using node::ConnectionCount;
using node::ConnectionFacts;
using node::ExchangeCount;
using node::ExchangeRow;
using node::QueueRow;
using G = MetricGroup;

constexpr double ms_per_second = 1'000;
constexpr double none = std::numeric_limits<double>::quiet_NaN();

constexpr std::uint32_t coarse = bit_of(G::queue_coarse_metrics),
                        consumer_count = bit_of(G::queue_consumer_count), fine = bit_of(G::queue_metrics),
                        delivery = bit_of(G::queue_delivery_metrics);

template <QueueCount kind>
MetricValue count_of(const QueueRow& row, std::uint64_t) {
  return row.counts[kind];
}
template <ChannelCount kind>
MetricValue count_of(const ChannelRow& row, std::uint64_t) {
  return row.counts[kind];
}
template <ConnectionCount kind>
MetricValue count_of(const ConnectionFacts& row, std::uint64_t) {
  return row.counts[kind];
}
template <ExchangeCount kind>
MetricValue count_of(const ExchangeRow& row, std::uint64_t) {
  return row.counts[kind];
}
template <auto member>
MetricValue field(const auto& row, std::uint64_t) {
  return std::uint64_t{row.*member};
}

MetricValue messages(const QueueRow& row, std::uint64_t) { return row.messages(); }
MetricValue capacity(const QueueRow& row, std::uint64_t) { return row.consumer_capacity; }
MetricValue in_memory(const QueueRow& row, std::uint64_t) {
  return row.messages() + row.held - std::min(row.messages() + row.held, row.persistent);
}
MetricValue ready_bytes(const QueueRow& row, std::uint64_t) { return row.bytes - row.bytes_unacknowledged; }
MetricValue oldest_at(const QueueRow& row, std::uint64_t) {
  return row.oldest_ms == 0 ? none : static_cast<double>(row.oldest_ms) / ms_per_second;
}
MetricValue oldest_age(const QueueRow& row, std::uint64_t now_ms) {
  if (row.oldest_ms == 0) return row.oldest_on_disk ? none : 0.0;
  return static_cast<double>(now_ms - std::min(now_ms, row.oldest_ms)) / ms_per_second;
}
MetricValue drain(const QueueRow& row, std::uint64_t) {
  if (row.messages() == 0) return 0.0;
  return row.seconds_to_drain().value_or(std::numeric_limits<double>::infinity());
}

constexpr MetricFamily<QueueRow> queues[] = {
    {coarse, false, "queue_messages_ready", "gauge", "Messages ready to be delivered to consumers",
     field<&QueueRow::ready>},
    {coarse, false, "queue_messages_unacked", "gauge",
     "Messages delivered to consumers but not yet acknowledged", field<&QueueRow::unacknowledged>},
    {coarse, false, "queue_messages", "gauge", "Ready and unacknowledged messages", messages},
    {coarse | fine, true, "queue_messages_held", "gauge",
     "Messages that are delayed or on their way to a dead-letter exchange", field<&QueueRow::held>},
    {consumer_count | fine, false, "queue_consumers", "gauge", "Consumers on a queue",
     field<&QueueRow::consumers>},
    {fine, false, "queue_consumer_capacity", "gauge",
     "The share of time in which consumers could take what came", capacity, true},
    {fine, false, "queue_consumer_utilisation", "gauge", "Same as consumer capacity", capacity, true},
    {fine, false, "queue_process_memory_bytes", "gauge", "Memory that the queue takes, about",
     field<&QueueRow::memory_bytes>},
    {fine, false, "queue_messages_ram", "gauge", "Messages that are in memory alone", in_memory},
    {fine, false, "queue_messages_ram_bytes", "gauge", "Bytes of messages that are in memory alone",
     field<&QueueRow::bytes_in_memory>},
    {fine, false, "queue_messages_persistent", "gauge", "Messages in the journal",
     field<&QueueRow::persistent>},
    {fine, false, "queue_messages_persistent_bytes", "gauge", "Bytes of messages in the journal",
     field<&QueueRow::bytes_persistent>},
    {fine, false, "queue_messages_bytes", "gauge", "Bytes of all messages", field<&QueueRow::bytes>},
    {fine, false, "queue_messages_ready_bytes", "gauge", "Bytes of messages that nobody has", ready_bytes},
    {fine, false, "queue_messages_unacked_bytes", "gauge", "Bytes of messages that consumers have",
     field<&QueueRow::bytes_unacknowledged>},
    {fine, false, "queue_head_message_timestamp", "gauge", "When the oldest message was received", oldest_at},
    {fine, true, "queue_oldest_message_age_seconds", "gauge",
     "For how long the oldest message has been there", oldest_age},
    {fine, true, "queue_drain_seconds", "gauge",
     "In how long the queue is empty if it goes on like this; +Inf: it does not get emptier", drain},
    {delivery, false, "queue_messages_published_total", "counter", "Messages that the queue took",
     count_of<QueueCount::publish>},
    {delivery, true, "queue_messages_delivered_ack_total", "counter",
     "Messages delivered to consumers that acknowledge", count_of<QueueCount::deliver>},
    {delivery, true, "queue_messages_delivered_total", "counter",
     "Messages delivered to consumers that do not acknowledge", count_of<QueueCount::deliver_no_ack>},
    {delivery, true, "queue_get_ack_total", "counter", "Messages fetched, to be acknowledged",
     count_of<QueueCount::get>},
    {delivery, true, "queue_get_total", "counter", "Messages fetched, without acknowledgement",
     count_of<QueueCount::get_no_ack>},
    {delivery, true, "queue_get_empty_total", "counter", "Fetches that found no message",
     count_of<QueueCount::get_empty>},
    {delivery, true, "queue_messages_acked_total", "counter", "Messages acknowledged",
     count_of<QueueCount::ack>},
    {delivery, true, "queue_messages_redelivered_total", "counter", "Messages delivered again",
     count_of<QueueCount::redeliver>},
};

constexpr std::uint32_t of_channel = bit_of(G::channel_metrics),
                        to_exchange = bit_of(G::channel_exchange_metrics),
                        from_queue = bit_of(G::channel_queue_metrics);

constexpr MetricFamily<ChannelRow> channels[] = {
    {of_channel, false, "channel_consumers", "gauge", "Consumers on a channel",
     field<&ChannelRow::consumers>},
    {of_channel, false, "channel_messages_unacked", "gauge", "Delivered but not yet acknowledged messages",
     field<&ChannelRow::unacknowledged>},
    {of_channel, false, "channel_messages_unconfirmed", "gauge", "Published but not yet confirmed messages",
     field<&ChannelRow::unconfirmed>},
    {of_channel, false, "channel_messages_uncommitted", "gauge",
     "Messages received in a transaction but not yet committed", field<&ChannelRow::uncommitted>},
    {of_channel, false, "channel_acks_uncommitted", "gauge",
     "Message acknowledgements in a transaction not yet committed", field<&ChannelRow::acks_uncommitted>},
    {of_channel, false, "consumer_prefetch", "gauge", "Limit of unacknowledged messages for each consumer",
     field<&ChannelRow::prefetch>},
    {of_channel, false, "channel_prefetch", "gauge",
     "Total limit of unacknowledged messages for all consumers on a channel",
     field<&ChannelRow::global_prefetch>},
    {to_exchange, false, "channel_messages_published_total", "counter", "Messages published on a channel",
     count_of<ChannelCount::publish>},
    {to_exchange, false, "channel_messages_confirmed_total", "counter", "Messages confirmed on a channel",
     count_of<ChannelCount::confirm>},
    {to_exchange, false, "channel_messages_unroutable_returned_total", "counter",
     "Mandatory messages returned as unroutable", count_of<ChannelCount::return_unroutable>},
    {to_exchange, false, "channel_messages_unroutable_dropped_total", "counter",
     "Messages dropped as unroutable", count_of<ChannelCount::drop_unroutable>},
    {from_queue, false, "channel_get_ack_total", "counter", "Messages fetched, to be acknowledged",
     count_of<ChannelCount::get>},
    {from_queue, false, "channel_get_total", "counter", "Messages fetched, without acknowledgement",
     count_of<ChannelCount::get_no_ack>},
    {from_queue, false, "channel_messages_delivered_ack_total", "counter",
     "Messages delivered to consumers that acknowledge", count_of<ChannelCount::deliver>},
    {from_queue, false, "channel_messages_delivered_total", "counter",
     "Messages delivered to consumers that do not acknowledge", count_of<ChannelCount::deliver_no_ack>},
    {from_queue, false, "channel_messages_redelivered_total", "counter", "Messages delivered again",
     count_of<ChannelCount::redeliver>},
    {from_queue, false, "channel_messages_acked_total", "counter", "Messages acknowledged",
     count_of<ChannelCount::ack>},
    {from_queue, false, "channel_get_empty_total", "counter", "Fetches that found no message",
     count_of<ChannelCount::get_empty>},
};

constexpr MetricFamily<ConnectionFacts> connections[] = {
    {bit_of(G::connection_coarse_metrics), false, "connection_incoming_bytes_total", "counter",
     "Bytes received on a connection", count_of<ConnectionCount::recv_oct>},
    {bit_of(G::connection_coarse_metrics), false, "connection_outgoing_bytes_total", "counter",
     "Bytes sent on a connection", count_of<ConnectionCount::send_oct>},
    {bit_of(G::connection_metrics), false, "connection_incoming_packets_total", "counter",
     "Reads of a connection that brought something", count_of<ConnectionCount::recv_cnt>},
    {bit_of(G::connection_metrics), false, "connection_outgoing_packets_total", "counter",
     "Writes to a connection", count_of<ConnectionCount::send_cnt>},
    {bit_of(G::connection_metrics), true, "connection_unsent_bytes", "gauge",
     "Bytes that a connection's socket has not taken yet", field<&ConnectionFacts::unsent_bytes>},
    {bit_of(G::connection_metrics), false, "connection_channels", "gauge", "Channels on a connection",
     field<&ConnectionFacts::channels>},
};

constexpr MetricFamily<ExchangeRow> exchanges[] = {
    {bit_of(G::exchange_metrics), true, "exchange_messages_in_total", "counter",
     "Messages published to an exchange", count_of<ExchangeCount::publish_in>},
    {bit_of(G::exchange_metrics), true, "exchange_messages_out_total", "counter",
     "Messages that an exchange routed, one for each queue", count_of<ExchangeCount::publish_out>},
};

}  // namespace

std::span<const MetricFamily<QueueRow>> queue_families() { return queues; }
std::span<const MetricFamily<ChannelRow>> channel_families() { return channels; }
std::span<const MetricFamily<ConnectionFacts>> connection_families() { return connections; }
std::span<const MetricFamily<ExchangeRow>> exchange_families() { return exchanges; }

QueueRow sum_of(const std::vector<node::VhostSums>& vhosts) {
  node::VhostSums all;
  for (const node::VhostSums& vhost : vhosts) all += vhost;
  QueueRow sum;
  sum.ready = all.ready;
  sum.unacknowledged = all.unacknowledged;
  sum.held = all.held;
  sum.persistent = all.persistent;
  sum.bytes = all.bytes;
  sum.bytes_unacknowledged = all.bytes_unacknowledged;
  sum.bytes_persistent = all.bytes_persistent;
  sum.bytes_in_memory = all.bytes_in_memory;
  sum.consumers = static_cast<std::uint32_t>(all.consumers);
  sum.memory_bytes = all.memory_bytes;
  sum.oldest_ms = all.oldest_ms;
  sum.counts = all.counts;
  sum.rates = all.rates;
  return sum;
}

ChannelRow sum_of_channels(const std::vector<node::SessionRow>& sessions) {
  ChannelRow sum;
  for (const node::SessionRow& session : sessions) {
    for (const ChannelRow& one : session.channels) {
      sum.prefetch += one.prefetch;
      sum.global_prefetch += one.global_prefetch;
      sum.unacknowledged += one.unacknowledged;
      sum.unconfirmed += one.unconfirmed;
      sum.uncommitted += one.uncommitted;
      sum.acks_uncommitted += one.acks_uncommitted;
      sum.consumers += one.consumers;
      sum.counts += one.counts;
    }
  }
  return sum;
}

ConnectionFacts sum_of_connections(const std::vector<node::SessionRow>& sessions) {
  ConnectionFacts sum;
  for (const node::SessionRow& session : sessions) {
    sum.channels += session.facts.channels;
    sum.unsent_bytes += session.facts.unsent_bytes;
    sum.counts += session.facts.counts;
  }
  return sum;
}

ExchangeRow sum_of(const std::vector<ExchangeRow>& rows) {
  ExchangeRow sum;
  for (const ExchangeRow& one : rows) sum.counts += one.counts;
  return sum;
}

}  // namespace weir::admin
