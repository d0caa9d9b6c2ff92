#include "admin/server_views.h"

#include <unistd.h>

#include <algorithm>

#include "broker/definitions.h"
#include "runtime/process_stats.h"

namespace weir::admin {

namespace json = boost::json;

std::string cluster_name(const broker::Topology& topology, const ServerFacts& facts) {
  const broker::ParameterDefinition* const given = topology.find_parameter("", "", cluster_name_parameter);
  const std::string* const name = given == nullptr ? nullptr : given->value.as_string();
  return name == nullptr ? facts.cluster_name : *name;
}

std::span<const std::string_view> feature_flags() {
  static constexpr std::string_view flags[] = {
      "classic_mirrored_queue_version",
      "drop_unroutable_metric",
      "empty_basic_get_metric",
      "implicit_default_bindings",
      "maintenance_mode_status",
      "quorum_queue",
      "user_limits",
      "virtual_host_metadata",
  };
  return flags;
}

json::array exchange_types_view() {
  json::array types;
  for (auto type = broker::ExchangeType::direct; !broker::to_string(type).empty();
       type = static_cast<broker::ExchangeType>(static_cast<unsigned>(type) + 1)) {
    types.push_back({{"name", broker::to_string(type)}, {"description", ""}, {"enabled", true}});
    if (type == broker::ExchangeType::delayed) break;
  }
  return types;
}

json::object node_view(const ServerFacts& facts, const std::string& name, const node::Observed& shards,
                       std::uint64_t now_ms) {
  const runtime::ProcessStats process = runtime::process_stats();
  bool memory_alarm = false, disk_alarm = false;
  for (const node::ShardRow& shard : shards.shards) {
    memory_alarm = memory_alarm || shard.alarm == "memory";
    disk_alarm = disk_alarm || shard.alarm.starts_with("disk");
  }
  json::object view;
  view["name"] = name;
  view["type"] = "disc";
  view["running"] = true;
  view["os_pid"] = std::to_string(::getpid());
  view["uptime"] = now_ms - std::min(now_ms, facts.started_ms);
  view["mem_used"] = process.resident_bytes;
  view["mem_limit"] = facts.memory_max_bytes;
  view["mem_alarm"] = memory_alarm;
  view["mem_calculation_strategy"] = "rss";
  view["disk_free"] = facts.disk_free_bytes == nullptr ? 0 : facts.disk_free_bytes(facts.data_directory);
  view["disk_free_limit"] = facts.disk_free_min_bytes;
  view["disk_free_alarm"] = disk_alarm;
  view["fd_used"] = process.open_files;
  view["fd_total"] = process.open_files_max;
  view["sockets_used"] = process.sockets;
  view["sockets_total"] = process.open_files_max;
  view["proc_used"] = process.threads;
  view["context_switches"] = process.context_switches;
  view["processors"] = facts.processors;
  view["run_queue"] = 0;
  view["partitions"] = json::array();
  view["cluster_links"] = json::array();
  view["exchange_types"] = exchange_types_view();
  view["db_dir"] = facts.data_directory;
  view["log_files"] = json::array{facts.log_file.empty() ? "<stderr>" : facts.log_file};
  view["rates_mode"] = "basic";
  view["enabled_plugins"] = json::array();
  view["applications"] = json::array();
  view["contexts"] = json::array();
  return view;
}

}  // namespace weir::admin
