#include "admin/metrics.h"

#include <algorithm>
#include <bit>
#include <unordered_set>
#include <utility>

#include "admin/metrics_families.h"
#include "admin/metrics_writer.h"

namespace weir::admin {
namespace {

using G = MetricGroup;

constexpr std::string_view group_names[] = {
    "connection_churn_metrics",
    "node_coarse_metrics",
    "node_metrics",
    "node_persister_metrics",
    "auth_attempt_metrics",
    "queue_coarse_metrics",
    "queue_consumer_count",
    "queue_metrics",
    "queue_delivery_metrics",
    "channel_metrics",
    "channel_exchange_metrics",
    "channel_queue_metrics",
    "connection_coarse_metrics",
    "connection_metrics",
    "exchange_metrics",
    "vhost_status",
};

constexpr std::uint32_t of_queues = bit_of(G::queue_coarse_metrics) | bit_of(G::queue_consumer_count) |
                                    bit_of(G::queue_metrics) | bit_of(G::queue_delivery_metrics);
constexpr std::uint32_t of_channels =
    bit_of(G::channel_metrics) | bit_of(G::channel_exchange_metrics) | bit_of(G::channel_queue_metrics);
constexpr std::uint32_t of_connections = bit_of(G::connection_coarse_metrics) | bit_of(G::connection_metrics);

void add(storage::Journal::Stats& to, const storage::Journal::Stats& from) {
  to.commits += from.commits;
  to.bytes_written += from.bytes_written;
  to.reads += from.reads;
  to.read_bytes += from.read_bytes;
  to.commit_ns_total += from.commit_ns_total;
  to.commit_us += from.commit_us;
  to.commit_bytes += from.commit_bytes;
}

}  // namespace

std::optional<MetricGroup> metric_group(std::string_view name) {
  const auto* const found = std::find(std::begin(group_names), std::end(group_names), name);
  if (found == std::end(group_names)) return std::nullopt;
  return static_cast<MetricGroup>(found - std::begin(group_names));
}

bool MetricsWish::wants(MetricGroup group) const {
  if (mode == MetricsMode::detailed) return (groups & bit_of(group)) != 0;
  return group != MetricGroup::vhost_status;
}

node::ObserveScope MetricsWish::scope() const {
  const std::uint32_t wanted = mode == MetricsMode::detailed ? groups : UINT32_MAX;
  node::ObserveScope scope;
  scope.shards = true;
  scope.sums = mode != MetricsMode::detailed;
  scope.queues = mode != MetricsMode::aggregated && (wanted & of_queues) != 0;
  scope.sessions = (wanted & (of_connections | of_channels)) != 0;
  scope.channels = (wanted & of_channels) != 0;
  scope.exchanges = (wanted & bit_of(G::exchange_metrics)) != 0;
  if (vhosts.size() == 1) scope.vhost = vhosts.front();
  return scope;
}

Result<MetricsWish> metrics_wish(std::string_view path,
                                 const std::vector<std::pair<std::string, std::string>>& query) {
  MetricsWish wish;
  if (path == "/metrics") return wish;
  wish.mode = MetricsMode::per_object;
  if (path == "/metrics/per-object") return wish;
  wish.mode = MetricsMode::detailed;
  if (path != "/metrics/detailed") return fail(ErrorCode::not_found, "no such page");
  for (const auto& [key, value] : query) {
    if (key == "vhost") wish.vhosts.push_back(value);
    if (key != "family") continue;
    if (const auto group = metric_group(value)) wish.groups |= bit_of(*group);
  }
  return wish;
}

// One family after the other; of one that has many rows, as many as fit.
struct MetricsText::State {
  State(MetricsWish its_wish, MetricsValues its_values)
      : wish(std::move(its_wish)), values(std::move(its_values)) {
    drop_other_vhosts();
    add_up();
    plan();
  }

  // The shards were asked for one vhost, or for all.
  void drop_other_vhosts() {
    const std::unordered_set<std::string> wanted(wish.vhosts.begin(), wish.vhosts.end());
    if (wanted.empty()) return;
    const auto other = [&](const std::string& vhost) { return !wanted.contains(vhost); };
    std::vector<node::QueueRow> queues;
    std::vector<QueueName> names;
    for (std::size_t i = 0; i < values.rows.queues.size(); ++i) {
      if (other(values.queue_names[i].vhost)) continue;
      queues.push_back(std::move(values.rows.queues[i]));
      names.push_back(std::move(values.queue_names[i]));
    }
    values.rows.queues = std::move(queues);
    values.queue_names = std::move(names);
    std::erase_if(values.rows.sessions,
                  [&](const node::SessionRow& session) { return other(session.info.vhost); });
    std::erase_if(values.rows.exchanges,
                  [&](const node::ExchangeRow& exchange) { return other(exchange.vhost); });
    std::erase_if(values.vhosts, other);
  }

  void add_up() {
    sums.values = &values;
    for (const node::ShardRow& shard : values.rows.shards) {
      sums.traffic += shard.traffic;
      sums.messages += shard.messages;
      add(sums.journal, shard.journal);
    }
    sums.queues = sum_of(values.rows.vhosts);
    for (const node::VhostSums& vhost : values.rows.vhosts) sums.queue_count += vhost.queues;
    for (const node::SessionRow& session : values.rows.sessions) {
      sums.channel_count += session.facts.channels;
      for (const node::ChannelRow& channel : session.channels)
        sums.publisher_count += channel.counts[node::ChannelCount::publish] > 0 ? 1 : 0;
    }
  }

  void plan() {
    const bool each = wish.mode != MetricsMode::aggregated;
    for (const NodeFamilies& families : node_families()) {
      if (wish.wants(families.group)) node_parts.push_back(&families);
    }
    if (each) {
      name_rows();
    } else {
      values.rows.queues = {sums.queues};
      channels = {sum_of_channels(values.rows.sessions)};
      connections = {sum_of_connections(values.rows.sessions)};
      values.rows.exchanges = {sum_of(values.rows.exchanges)};
      queue_labels = channel_labels = connection_labels = exchange_labels = {std::string()};
    }
  }

  void name_rows() {
    queue_labels.reserve(values.rows.queues.size());
    for (const QueueName& queue : values.queue_names)
      queue_labels.push_back(metric_labels({{"vhost", queue.vhost}, {"queue", queue.name}}));
    for (const node::SessionRow& session : values.rows.sessions) {
      connections.push_back(session.facts);
      connection_labels.push_back(metric_labels({{"channel", session.name}}));
      for (const node::ChannelRow& channel : session.channels) {
        channels.push_back(channel);
        channel_labels.push_back(
            metric_labels({{"channel", session.name + " (" + std::to_string(channel.number) + ")"}}));
      }
    }
    for (const node::ExchangeRow& exchange : values.rows.exchanges)
      exchange_labels.push_back(metric_labels({{"vhost", exchange.vhost}, {"exchange", exchange.name}}));
  }

  std::string_view prefix() const {
    return wish.mode == MetricsMode::detailed ? "rabbitmq_detailed_" : "rabbitmq_";
  }

  template <typename Row>
  bool wants(const MetricFamily<Row>& one) const {
    if (wish.mode == MetricsMode::aggregated && one.of_each) return false;
    for (std::uint32_t rest = one.groups; rest != 0; rest &= rest - 1) {
      if (wish.wants(static_cast<MetricGroup>(std::countr_zero(rest)))) return true;
    }
    return false;
  }

  // False: it is full, and the rest comes later.
  template <typename Row>
  bool write_table(std::span<const MetricFamily<Row>> table, const std::vector<Row>& rows,
                   const std::vector<std::string>& labels, std::string& out, std::size_t bytes) {
    MetricsWriter writer(out);
    for (; family < table.size(); ++family, row = 0) {
      const MetricFamily<Row>& one = table[family];
      if (!wants(one)) continue;
      if (out.size() >= bytes) return false;
      const std::string_view begin = one.own ? "weir_" : prefix();
      if (row == 0) {
        writer.family(begin, one.name, one.type, one.help);
      } else {
        writer.go_on(begin, one.name);
      }
      for (; row < rows.size(); ++row) {
        if (row > 0 && out.size() >= bytes) return false;  // with the heading, one at least
        writer.line(labels[row], one.value(rows[row], values.rows.at_ms));
      }
    }
    family = 0;
    return true;
  }

  bool write_information(std::string& out) const {
    MetricsWriter writer(out);
    writer.family("rabbitmq_", "build_info", "untyped", "The server's version");
    writer.line(metric_labels({{"rabbitmq_version", values.node.version},
                               {"prometheus_plugin_version", values.node.version},
                               {"prometheus_client_version", values.node.version},
                               {"erlang_version", "none"}}),
                std::uint64_t{1});
    writer.family("rabbitmq_", "identity_info", "untyped", "The node's and the cluster's name");
    writer.line(metric_labels({{"rabbitmq_node", values.node.name},
                               {"rabbitmq_cluster", values.node.cluster},
                               {"rabbitmq_cluster_permanent_id", values.node.cluster}}),
                std::uint64_t{1});
    return true;
  }

  bool write_node(std::string& out, std::size_t bytes) {
    MetricsWriter writer(out);
    for (; family < node_parts.size(); ++family) {
      if (out.size() >= bytes) return false;
      node_parts[family]->write(writer, prefix(), sums);
    }
    family = 0;
    return true;
  }

  bool write_stage(std::string& out, std::size_t bytes) {
    switch (stage) {
      case 0: return write_node(out, bytes);
      case 1: return write_table(queue_families(), values.rows.queues, queue_labels, out, bytes);
      case 2: return write_table(channel_families(), channels, channel_labels, out, bytes);
      case 3: return write_table(connection_families(), connections, connection_labels, out, bytes);
      case 4: return write_table(exchange_families(), values.rows.exchanges, exchange_labels, out, bytes);
      default: return write_information(out);
    }
  }
  static constexpr unsigned stages = 6;

  const MetricsWish wish;
  MetricsValues values;
  NodeSums sums;
  std::vector<const NodeFamilies*> node_parts;
  std::vector<node::ChannelRow> channels;
  std::vector<node::ConnectionFacts> connections;
  std::vector<std::string> queue_labels, channel_labels, connection_labels, exchange_labels;
  unsigned stage = 0;
  std::size_t family = 0, row = 0;
};

MetricsText::MetricsText(MetricsWish wish, MetricsValues values)
    : state_(std::make_unique<State>(std::move(wish), std::move(values))) {}
MetricsText::MetricsText(MetricsText&&) noexcept = default;
MetricsText::~MetricsText() = default;

bool MetricsText::write(std::string& out, std::size_t bytes) {
  State& state = *state_;
  while (state.stage < State::stages && out.size() < bytes) {
    if (state.write_stage(out, bytes)) ++state.stage;
  }
  return state.stage < State::stages;
}

std::string metrics_text(MetricsWish wish, MetricsValues values) {
  std::string out;
  MetricsText text(std::move(wish), std::move(values));
  while (text.write(out, SIZE_MAX)) {
  }
  return out;
}

}  // namespace weir::admin
