// Families by protocol: what each brought and took, whatever connections there are by now.
#include <string>

#include "admin/metrics_families.h"

namespace weir::admin {
namespace {

using broker::QueueCount;
using node::Protocol;
using node::SessionCount;
using node::Traffic;

constexpr std::string_view global = "rabbitmq_global_";
constexpr std::string_view kinds[] = {"rabbit_classic_queue", "rabbit_quorum_queue", "rabbit_stream_queue"};
static_assert(std::size(kinds) == node::queue_kind_count);

// AMQP is always there, the others when somebody spoke them.
bool is_told(const Traffic& traffic, std::size_t protocol) {
  if (static_cast<Protocol>(protocol) == Protocol::amqp091) return true;
  return traffic.by_protocol[protocol].sessions[SessionCount::connections_opened] > 0;
}

struct SessionFamily {
  SessionCount kind;
  std::string_view name, help;
};
constexpr SessionFamily session_families[] = {
    {SessionCount::received, "messages_received_total", "Messages received from publishers"},
    {SessionCount::received_confirm, "messages_received_confirm_total",
     "Messages received from publishers that want confirms"},
    {SessionCount::confirmed, "messages_confirmed_total", "Messages confirmed to publishers"},
    {SessionCount::routed, "messages_routed_total", "Messages routed to queues"},
    {SessionCount::unroutable_dropped, "messages_unroutable_dropped_total", "Messages that no queue took"},
    {SessionCount::unroutable_returned, "messages_unroutable_returned_total",
     "Mandatory messages that no queue took and that went back"},
};

struct DeliveryFamily {
  QueueCount kind;
  std::string_view name, help;
};
constexpr DeliveryFamily delivery_families[] = {
    {QueueCount::ack, "messages_acknowledged_total", "Messages acknowledged by consumers"},
    {QueueCount::deliver_no_ack, "messages_delivered_consume_auto_ack_total",
     "Messages delivered to consumers that do not acknowledge"},
    {QueueCount::deliver, "messages_delivered_consume_manual_ack_total",
     "Messages delivered to consumers that acknowledge"},
    {QueueCount::get_no_ack, "messages_delivered_get_auto_ack_total",
     "Messages fetched, without acknowledgement"},
    {QueueCount::get, "messages_delivered_get_manual_ack_total", "Messages fetched, to be acknowledged"},
    {QueueCount::get_empty, "messages_get_empty_total", "Fetches that found no message"},
    {QueueCount::redeliver, "messages_redelivered_total", "Messages delivered again"},
};

std::uint64_t delivered(const Counters<QueueCount>& counts) {
  return counts[QueueCount::deliver] + counts[QueueCount::deliver_no_ack] + counts[QueueCount::get] +
         counts[QueueCount::get_no_ack];
}

template <typename Value>
void by_kind(MetricsWriter& writer, const Traffic& traffic, Value&& value) {
  for (std::size_t i = 0; i < node::protocol_count; ++i) {
    if (!is_told(traffic, i)) continue;
    for (std::size_t kind = 0; kind < node::queue_kind_count; ++kind) {
      writer.line(
          metric_labels({{"protocol", label_of(static_cast<Protocol>(i))}, {"queue_type", kinds[kind]}}),
          value(traffic.by_protocol[i].deliveries[kind]));
    }
  }
}

void write_errors(MetricsWriter& writer, const Traffic& traffic) {
  writer.family("weir_", "protocol_errors_total", "counter",
                "What was refused, by the protocol's own code and by what ended with it");
  for (std::size_t i = 0; i < node::protocol_count; ++i) {
    for (const auto& [error, times] : traffic.by_protocol[i].errors) {
      writer.line(metric_labels({{"protocol", label_of(static_cast<Protocol>(i))},
                                 {"code", std::to_string(error.first)},
                                 {"scope", error.second ? "connection" : "channel"}}),
                  times);
    }
  }
}

}  // namespace

void write_protocol_families(MetricsWriter& writer, std::string_view, const NodeSums& sums) {
  const Traffic& traffic = sums.traffic;
  for (const SessionFamily& family : session_families) {
    writer.family(global, family.name, "counter", family.help);
    for (std::size_t i = 0; i < node::protocol_count; ++i) {
      if (!is_told(traffic, i)) continue;
      writer.line(metric_labels({{"protocol", label_of(static_cast<Protocol>(i))}}),
                  traffic.by_protocol[i].sessions[family.kind]);
    }
  }
  for (const DeliveryFamily& family : delivery_families) {
    writer.family(global, family.name, "counter", family.help);
    by_kind(writer, traffic, [&](const Counters<QueueCount>& counts) { return counts[family.kind]; });
  }
  writer.family(global, "messages_delivered_total", "counter", "Messages delivered to consumers");
  by_kind(writer, traffic, delivered);
  writer.family(global, "publishers", "gauge", "Channels that have published");
  writer.line(metric_labels({{"protocol", "amqp091"}}), sums.publisher_count);
  writer.family(global, "consumers", "gauge", "Consumers of all protocols");
  writer.line(metric_labels({{"protocol", "amqp091"}}), std::uint64_t{sums.queues.consumers});
  write_errors(writer, traffic);
}

}  // namespace weir::admin
