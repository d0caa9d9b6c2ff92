// The server at a glance.
#include <utility>

#include "admin/call.h"
#include "admin/listing.h"
#include "admin/resources.h"
#include "admin/server_views.h"
#include "admin/stats_views.h"
#include "base/version.h"

namespace weir::admin {
namespace {

namespace json = boost::json;
using node::SessionCount;

// Of the virtual hosts that the user sees.
node::VhostSums visible_sums(const Call& call, const node::Observed& seen) {
  node::VhostSums sums;
  for (const node::VhostSums& vhost : seen.vhosts) {
    if (call.knows_of(vhost.name)) sums += vhost;
  }
  return sums;
}

json::object object_totals(const Call& call, const node::Observed& seen, const node::VhostSums& sums) {
  std::size_t exchanges = 0, queues = 0, connections = 0, channels = 0;
  for (const broker::VhostDefinition* vhost : call.topology().vhosts()) {
    if (!call.knows_of(vhost->name)) continue;
    exchanges += call.topology().exchanges(vhost->name).size();
    queues += call.topology().count_queues(vhost->name);
  }
  for (const node::SessionRow& session : seen.sessions) {
    if (!call.is_monitor() && session.info.user != call.user()) continue;
    ++connections;
    channels += session.facts.channels;
  }
  return {{"exchanges", exchanges},
          {"queues", queues},
          {"connections", connections},
          {"channels", channels},
          {"consumers", sums.consumers}};
}

// What sessions of all protocols did, and queues with them.
json::object message_stats(const node::Observed& seen, const node::VhostSums& sums) {
  json::object view = queue_stats(sums.counts, sums.rates);
  Counters<SessionCount> all;
  for (const node::ShardRow& shard : seen.shards) {
    for (const auto& protocol : shard.traffic.by_protocol) all += protocol.sessions;
  }
  view["confirm"] = all[SessionCount::confirmed];
  view["return_unroutable"] = all[SessionCount::unroutable_returned];
  view["drop_unroutable"] = all[SessionCount::unroutable_dropped];
  return view;
}

json::object churn(const node::Observed& seen) {
  node::Traffic all;
  for (const node::ShardRow& shard : seen.shards) all += shard.traffic;
  Counters<SessionCount> sessions;
  for (const auto& protocol : all.by_protocol) sessions += protocol.sessions;
  return {{"connection_created", sessions[SessionCount::connections_opened]},
          {"connection_closed", sessions[SessionCount::connections_closed]},
          {"channel_created", sessions[SessionCount::channels_opened]},
          {"channel_closed", sessions[SessionCount::channels_closed]},
          {"queue_declared", all.queues_declared},
          {"queue_created", all.queues_created},
          {"queue_deleted", all.queues_deleted}};
}

json::array listeners(const Call& call) {
  json::array list;
  for (const ListenerFacts& listener : call.api().facts().listeners) {
    list.push_back({{"node", call.api().at().client.node_name()},
                    {"protocol", listener.protocol},
                    {"ip_address", listener.address},
                    {"port", listener.port}});
  }
  return list;
}

// How it was. Who sees some virtual hosts alone is told of those.
void add_samples(const Call& call, json::object& view, const SampleRanges& ranges, std::uint64_t now_ms) {
  const Recorder* const recorder = call.api().recorder();
  if (recorder == nullptr) return;
  HistoryList histories;
  for (const broker::VhostDefinition* vhost : call.topology().vhosts()) {
    if (!call.knows_of(vhost->name)) continue;
    for (auto& history : call.histories_of(vhost->name)) histories.push_back(std::move(history));
  }
  add_depth_samples(view["queue_totals"].get_object(), histories, ranges);
  add_count_samples(view, histories, ranges);
  if (!call.is_monitor()) return;
  add_total_samples(view["message_stats"].get_object(), TotalSeries::confirm, TotalSeries::drop_unroutable,
                    recorder->totals(), ranges.msg_rates, now_ms);
  add_total_samples(view["churn_rates"].get_object(), TotalSeries::connection_created,
                    TotalSeries::queue_deleted, recorder->totals(), ranges.msg_rates, now_ms);
}

void show(Call& call, const node::Observed& seen, const SampleRanges& ranges) {
  const node::VhostSums sums = visible_sums(call, seen);
  json::object totals, view;
  add_depths(totals, sums.ready, sums.unacknowledged, sums.rates);
  view["management_version"] = compatible_version;
  view["rabbitmq_version"] = compatible_version;
  view["product_name"] = "Weir";
  view["product_version"] = version;
  view["cluster_name"] = cluster_name(call.topology(), call.api().facts());
  view["rates_mode"] = "basic";
  view["disable_stats"] = false;
  view["enable_queue_totals"] = false;
  view["statistics_db_event_queue"] = 0;
  view["exchange_types"] = exchange_types_view();
  view["object_totals"] = object_totals(call, seen, sums);
  view["queue_totals"] = std::move(totals);
  view["message_stats"] = message_stats(seen, sums);
  if (call.is_monitor()) {
    view["node"] = call.api().at().client.node_name();
    view["churn_rates"] = churn(seen);
    view["listeners"] = listeners(call);
    view["contexts"] = json::array();
  }
  add_samples(call, view, ranges, seen.at_ms);
  reply_item(call, view);
}

void show_overview(Call& call) {
  const auto ranges = call.sample_ranges();
  if (!ranges) return;
  node::ObserveScope scope;
  scope.sums = scope.shards = scope.sessions = true;
  call.observe(std::move(scope),
               [ranges = *ranges](Call& asking, node::Observed&& seen) { show(asking, seen, ranges); });
}

constexpr Route routes[] = {
    {"GET",
     "/api/overview",
     Needs::a_user,
     show_overview,
     "The server at a glance",
     {Gives::item, "", sample_parameters}},
};

}  // namespace

std::span<const Route> overview_routes() { return routes; }

}  // namespace weir::admin
