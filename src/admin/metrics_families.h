// What it is: the families of metrics as tables: for each kind of row, which number is told by which name.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "admin/metrics.h"
#include "admin/metrics_writer.h"
#include "node/observe.h"

namespace weir::admin {

constexpr std::uint32_t bit_of(MetricGroup group) { return 1U << static_cast<unsigned>(group); }

template <typename Row>
struct MetricFamily {
  std::uint32_t groups;  // bits: it is in each of them
  bool own;              // its name begins with weir_ and not with rabbitmq_
  std::string_view name;
  std::string_view type;
  std::string_view help;
  MetricValue (*value)(const Row& row, std::uint64_t now_ms);
  bool of_each = false;  // it has no meaning for all of them together
};

// The rows of a kind, or their sums as one row.
std::span<const MetricFamily<node::QueueRow>> queue_families();
std::span<const MetricFamily<node::ChannelRow>> channel_families();
std::span<const MetricFamily<node::ConnectionFacts>> connection_families();
std::span<const MetricFamily<node::ExchangeRow>> exchange_families();

node::QueueRow sum_of(const std::vector<node::VhostSums>& vhosts);
node::ChannelRow sum_of_channels(const std::vector<node::SessionRow>& sessions);
node::ConnectionFacts sum_of_connections(const std::vector<node::SessionRow>& sessions);
node::ExchangeRow sum_of(const std::vector<node::ExchangeRow>& exchanges);

// What is told once, whatever there is: each function writes some families.
struct NodeSums {
  const MetricsValues* values = nullptr;
  node::Traffic traffic;     // of all shards
  node::HostStats messages;  // the same
  storage::Journal::Stats journal;
  node::QueueRow queues;
  std::uint64_t queue_count = 0, channel_count = 0, publisher_count = 0;
};
struct NodeFamilies {
  MetricGroup group;
  void (*write)(MetricsWriter& writer, std::string_view prefix, const NodeSums& sums);
};
std::span<const NodeFamilies> node_families();

void write_latency_families(MetricsWriter& writer, std::string_view prefix, const NodeSums& sums);
void write_shard_families(MetricsWriter& writer, std::string_view prefix, const NodeSums& sums);
void write_protocol_families(MetricsWriter& writer, std::string_view prefix, const NodeSums& sums);

}  // namespace weir::admin
