#include "app/admin_service.h"

#include <utility>

#include "app/machine.h"
#include "app/protocols.h"
#include "app/resource_watch.h"
#include "app/settings_reference.h"
#include "protocol/amqp091/plain_messages.h"
#include "runtime/process_stats.h"

namespace weir::app {
namespace {

// They come out of the open files that are kept back from clients.
constexpr std::size_t connections_max = 128;
constexpr ShardId shard{0};

admin::ApiSurroundings surroundings(node::Node& node, const Settings& settings) {
  admin::ApiSurroundings at{
      .client = node.client(shard), .decide = {}, .offload = {}, .messages = {}, .measure = {}};
  at.decide = [&node](broker::Request request, std::function<void(Result<broker::Decision>)> done) {
    node.administer_one(std::move(request), std::move(done));
  };
  at.offload = [&node](std::function<void()> work, std::function<void()> done) {
    return node.offload(shard, std::move(work), std::move(done));
  };
  at.messages = amqp091::plain_messages(native_headers());
  at.measure = [directory = settings.data_dir] {
    const runtime::ProcessStats process = runtime::process_stats();
    return admin::SeriesNumbers<admin::NodeSeries>{process.resident_bytes,
                                                   process.open_files,
                                                   process.sockets,
                                                   process.threads,
                                                   measure_resources(directory).disk_free_bytes,
                                                   process.context_switches};
  };
  return at;
}

admin::ServerFacts facts(node::Node& node, const Settings& settings) {
  admin::ServerFacts facts;
  facts.cluster_name = node.client(shard).node_name();
  facts.default_vhost = settings.default_vhost;
  facts.data_directory = settings.data_dir;
  facts.log_file = settings.log_file;
  facts.shards = node.shards();
  facts.message_bytes_max = settings.message_bytes_max;
  facts.started_ms = node.client(shard).clock().wall_ms();
  facts.memory_max_bytes = settings.memory_high_watermark.of(usable_memory_bytes());
  facts.disk_free_min_bytes = settings.disk_free_min.of(file_system_bytes(settings.data_dir));
  facts.disk_free_bytes = [](const std::string& directory) {
    return measure_resources(directory).disk_free_bytes;
  };
  facts.certificate_file = settings.tls_certificate_file;
  facts.settings = settings_as_json(settings);
  facts.cross_origin = {settings.admin_cors_allow_origins, settings.admin_cors_max_age_s};
  facts.processors = static_cast<std::uint32_t>(usable_cores());
  return facts;
}

}  // namespace

AdminService::AdminService(node::Node& node, const Settings& settings, runtime::TlsContext* tls,
                           std::uint64_t clients_max)
    : node_(node),
      api_(surroundings(node, settings), facts(node, settings)),
      http_(node, shard, api_, connections_max) {
  api_.facts().connections_max = clients_max;
  if (tls != nullptr) api_.facts().certificate_expires_s = [tls] { return tls->expires_s(); };
  node_.run_on(shard, [&] { api_.record(); });
}

void AdminService::stop() {
  http_.stop();
  node_.run_on(shard, [&] { api_.end_sessions(); });
}

void AdminService::show(std::vector<admin::ListenerFacts> listeners) {
  node_.run_on(shard, [&] { api_.facts().listeners = std::move(listeners); });
}

}  // namespace weir::app
