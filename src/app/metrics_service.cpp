#include "app/metrics_service.h"

#include <utility>

#include "app/machine.h"
#include "app/resource_watch.h"
#include "base/version.h"

namespace weir::app {
namespace {

// They come out of the open files that are kept back from clients.
constexpr std::size_t connections_max = 32;
constexpr ShardId shard{0};

admin::MetricsSurroundings surroundings(node::Node& node, const Settings& settings) {
  node::BrokerClient& client = node.client(shard);
  admin::NodeFacts facts;
  facts.name = facts.cluster = client.node_name();
  facts.version = version;
  facts.memory_max_bytes = settings.memory_high_watermark.of(usable_memory_bytes());
  facts.disk_free_min_bytes = settings.disk_free_min.of(file_system_bytes(settings.data_dir));
  facts.started_ms = client.clock().wall_ms();
  return {.client = client,
          .offload =
              [&node](std::function<void()> work, std::function<void()> done) {
                return node.offload(shard, std::move(work), std::move(done));
              },
          .measure =
              [facts, directory = settings.data_dir] {
                admin::NodeFacts now = facts;
                now.process = runtime::process_stats();
                now.disk_free_bytes = measure_resources(directory).disk_free_bytes;
                return now;
              }};
}

}  // namespace

MetricsService::MetricsService(node::Node& node, const Settings& settings)
    : node_(node), page_(surroundings(node, settings)), http_(node, shard, page_, connections_max) {}

void MetricsService::stop() {
  http_.stop();
  node_.run_on(shard, [&] { page_.stop(); });
}

}  // namespace weir::app
