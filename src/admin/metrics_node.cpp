// Families that are told once: the node, its protocols, its journals.
#include <algorithm>
#include <string>

#include "admin/metrics_families.h"

namespace weir::admin {
namespace {

using broker::QueueCount;
using node::Protocol;
using node::SessionCount;
using node::Traffic;
using G = MetricGroup;

constexpr double ns_per_second = 1e9;

double seconds(std::uint64_t ns) { return static_cast<double>(ns) / ns_per_second; }

std::uint64_t of_all_protocols(const Traffic& traffic, SessionCount kind) {
  std::uint64_t sum = 0;
  for (const Traffic::OfProtocol& one : traffic.by_protocol) sum += one.sessions[kind];
  return sum;
}

struct One {
  MetricsWriter& writer;
  std::string_view prefix;

  void counter(std::string_view name, std::string_view help, MetricValue value) const {
    writer.family(prefix, name, "counter", help);
    writer.line("", value);
  }
  void gauge(std::string_view name, std::string_view help, MetricValue value) const {
    writer.family(prefix, name, "gauge", help);
    writer.line("", value);
  }
};

void churn(MetricsWriter& writer, std::string_view prefix, const NodeSums& sums) {
  const One one{writer, prefix};
  const Traffic& traffic = sums.traffic;
  one.counter("connections_opened_total", "Connections opened",
              of_all_protocols(traffic, SessionCount::connections_opened));
  one.counter("connections_closed_total", "Connections closed or ended",
              of_all_protocols(traffic, SessionCount::connections_closed));
  one.counter("channels_opened_total", "Channels opened",
              of_all_protocols(traffic, SessionCount::channels_opened));
  one.counter("channels_closed_total", "Channels closed",
              of_all_protocols(traffic, SessionCount::channels_closed));
  one.counter("queues_declared_total", "Queues declared, also those that were there",
              traffic.queues_declared);
  one.counter("queues_created_total", "Queues created", traffic.queues_created);
  one.counter("queues_deleted_total", "Queues deleted", traffic.queues_deleted);
}

void coarse(MetricsWriter& writer, std::string_view prefix, const NodeSums& sums) {
  const One one{writer, prefix};
  const NodeFacts& node = sums.values->node;
  one.gauge("process_open_fds", "Open file descriptors", node.process.open_files);
  one.gauge("process_open_tcp_sockets", "Open sockets", node.process.sockets);
  one.gauge("process_resident_memory_bytes", "Memory used in bytes", node.process.resident_bytes);
  one.gauge("disk_space_available_bytes", "Disk space available in bytes", node.disk_free_bytes);
  one.counter("erlang_scheduler_context_switches_total", "Context switches of the process",
              node.process.context_switches);
}

void limits(MetricsWriter& writer, std::string_view prefix, const NodeSums& sums) {
  const One one{writer, prefix};
  const NodeFacts& node = sums.values->node;
  const std::uint64_t up_ms = sums.values->rows.at_ms - std::min(sums.values->rows.at_ms, node.started_ms);
  one.gauge("process_max_fds", "Open file descriptors limit", node.process.open_files_max);
  one.gauge("process_max_tcp_sockets", "Open sockets limit", node.process.open_files_max);
  one.gauge("resident_memory_limit_bytes", "Memory high watermark in bytes", node.memory_max_bytes);
  one.gauge("disk_space_available_limit_bytes", "Free disk space low watermark in bytes",
            node.disk_free_min_bytes);
  one.gauge("erlang_uptime_seconds", "Node uptime", static_cast<double>(up_ms) / 1'000);
}

void persister(MetricsWriter& writer, std::string_view prefix, const NodeSums& sums) {
  const One one{writer, prefix};
  const storage::Journal::Stats& journal = sums.journal;
  one.counter("io_read_ops_total", "Reads of messages from the disk", journal.reads);
  one.counter("io_read_bytes_total", "Bytes of messages read from the disk", journal.read_bytes);
  one.counter("io_write_ops_total", "Commits of the journal", journal.commits);
  one.counter("io_write_bytes_total", "Bytes written by commits", journal.bytes_written);
  one.counter("io_sync_ops_total", "Commits of the journal, each of which is synced", journal.commits);
  one.counter("io_sync_time_seconds_total", "Time that commits took to be written and synced",
              seconds(journal.commit_ns_total));
}

void logins(MetricsWriter& writer, std::string_view prefix, const NodeSums& sums) {
  const auto each = [&](std::string_view name, std::string_view help, auto value) {
    writer.family(prefix, name, "counter", help);
    for (std::size_t i = 0; i < node::protocol_count; ++i) {
      const auto& counts = sums.traffic.by_protocol[i].sessions;
      if (counts[SessionCount::logins] == 0) continue;
      writer.line(metric_labels({{"protocol", label_of(static_cast<Protocol>(i))}}), value(counts));
    }
  };
  using Counts = Counters<SessionCount>;
  each("auth_attempts_total", "Attempts to log in",
       [](const Counts& counts) { return counts[SessionCount::logins]; });
  each("auth_attempts_succeeded_total", "Successful ones", [](const Counts& counts) {
    return counts[SessionCount::logins] - counts[SessionCount::logins_refused];
  });
  each("auth_attempts_failed_total", "Failed ones",
       [](const Counts& counts) { return counts[SessionCount::logins_refused]; });
}

void vhosts(MetricsWriter& writer, std::string_view, const NodeSums& sums) {
  writer.family("rabbitmq_cluster_", "vhost_status", "gauge", "Whether a virtual host is running");
  for (const std::string& vhost : sums.values->vhosts)
    writer.line(metric_labels({{"vhost", vhost}}), std::uint64_t{1});
}

void totals(MetricsWriter& writer, std::string_view prefix, const NodeSums& sums) {
  const One one{writer, prefix};
  std::uint64_t sessions = 0;
  bool memory = false, disk = false;
  for (const node::ShardRow& shard : sums.values->rows.shards) {
    sessions += shard.sessions;
    memory = memory || shard.alarm == "memory";
    disk = disk || shard.alarm == "disk";
  }
  one.gauge("connections", "Connections currently open", sessions);
  one.gauge("channels", "Channels currently open", sums.channel_count);
  one.gauge("consumers", "Consumers currently connected", std::uint64_t{sums.queues.consumers});
  one.gauge("queues", "Queues available", sums.queue_count);
  one.gauge("alarms_file_descriptor_limit", "1 if the limit of open files was reached", std::uint64_t{0});
  one.gauge("alarms_free_disk_space_watermark", "1 if publishing waits for room on the disk",
            std::uint64_t{disk});
  one.gauge("alarms_memory_used_watermark", "1 if publishing waits for memory", std::uint64_t{memory});
}

constexpr NodeFamilies all[] = {
    {G::connection_churn_metrics, churn},
    {G::node_coarse_metrics, coarse},
    {G::node_metrics, limits},
    {G::node_persister_metrics, persister},
    {G::auth_attempt_metrics, logins},
    {G::vhost_status, vhosts},
    {G::totals, totals},
    {G::protocols, write_protocol_families},
    {G::own, write_latency_families},
    {G::own, write_shard_families},
};

}  // namespace

std::span<const NodeFamilies> node_families() { return all; }

}  // namespace weir::admin
