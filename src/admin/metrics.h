// What it is: what a scrape gets: from the values of a moment to text, with the names and labels that RabbitMQ's metrics have
// where they mean the same, and names of our own (weir_…) where they don't. docs/metrics.md lists the families.
// The text is written piece by piece: who sends it decides how much at a time.
// Shard: none: values in, text out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "node/observe.h"
#include "runtime/process_stats.h"

namespace weir::admin {

// Of the process and the machine.
struct NodeFacts {
  std::string name;     // "weir@host"
  std::string cluster;  // the cluster's name
  std::string version;
  runtime::ProcessStats process;
  std::uint64_t memory_max_bytes = 0;
  std::uint64_t disk_free_bytes = 0, disk_free_min_bytes = 0;
  std::uint64_t started_ms = 0;  // wall clock
};

// Groups of families, as /metrics/detailed?family= names them.
enum class MetricGroup : std::uint8_t {
  connection_churn_metrics,
  node_coarse_metrics,
  node_metrics,
  node_persister_metrics,
  auth_attempt_metrics,
  queue_coarse_metrics,
  queue_consumer_count,
  queue_metrics,
  queue_delivery_metrics,  // our own: what RabbitMQ counts for each channel and queue together
  channel_metrics,
  channel_exchange_metrics,
  channel_queue_metrics,
  connection_coarse_metrics,
  connection_metrics,
  exchange_metrics,  // our own
  vhost_status,
  totals,     // not by name: of /metrics and /metrics/per-object
  protocols,  // the same
  own,        // the same: journal, latencies, shards
  count,
};
// nullopt: there is no such group, or it is not asked for by name.
std::optional<MetricGroup> metric_group(std::string_view name);

enum class MetricsMode : std::uint8_t { aggregated, per_object, detailed };

struct MetricsWish {
  MetricsMode mode = MetricsMode::aggregated;
  std::uint32_t groups = 0;         // bits, for detailed
  std::vector<std::string> vhosts;  // of these alone, for detailed; empty: of all

  bool wants(MetricGroup group) const;
  // What the shards have to be asked for it.
  node::ObserveScope scope() const;
};
// Of a path and its query: "/metrics/detailed", "family=queue_coarse_metrics&vhost=%2F", decoded into pairs. not_found: no
// such page. Groups that are not known are left out, as RabbitMQ does.
Result<MetricsWish> metrics_wish(std::string_view path,
                                 const std::vector<std::pair<std::string, std::string>>& query);

struct QueueName {
  std::string vhost, name;
};

struct MetricsValues {
  NodeFacts node;
  node::Observed rows;
  std::vector<QueueName> queue_names;  // of rows.queues, one each
  std::vector<std::string> vhosts;     // all of them
};

class MetricsText {
 public:
  MetricsText(MetricsWish wish, MetricsValues values);
  MetricsText(MetricsText&&) noexcept;
  ~MetricsText();

  // Appends some more, until `out` has `bytes` or a little more. False: that was all.
  bool write(std::string& out, std::size_t bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// All of it.
std::string metrics_text(MetricsWish wish, MetricsValues values);

}  // namespace weir::admin
