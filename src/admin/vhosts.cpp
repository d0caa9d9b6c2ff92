// Virtual hosts: listed, made, described and deleted.
#include <algorithm>
#include <utility>

#include "admin/body_entry.h"
#include "admin/call.h"
#include "admin/json_views.h"
#include "admin/listing.h"
#include "admin/resources.h"
#include "admin/stats_views.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

// What its queues hold and did; of a vhost without queues, nothing.
json::object view_of(const Call& call, const broker::VhostDefinition& vhost, const node::Observed& seen,
                     const SampleRanges& ranges) {
  json::object view = vhost_view(vhost, call.api().at().client.node_name());
  const auto sums =
      std::lower_bound(seen.vhosts.begin(), seen.vhosts.end(), vhost.name,
                       [](const node::VhostSums& one, const std::string& name) { return one.name < name; });
  if (sums == seen.vhosts.end() || sums->name != vhost.name) return view;
  add_depths(view, sums->ready, sums->unacknowledged, sums->rates);
  view["message_stats"] = queue_stats(sums->counts, sums->rates);
  add_queue_samples(view, call.histories_of(vhost.name), ranges);
  return view;
}

node::ObserveScope sums_of(const Call& call) {
  node::ObserveScope scope;
  scope.sums = true;
  if (call.captures("vhost")) scope.vhost = call.capture("vhost");
  return scope;
}

void list_vhosts(Call& call) {
  const auto ranges = call.sample_ranges();
  if (!ranges) return;
  call.observe(sums_of(call), [ranges = *ranges](Call& asking, node::Observed&& seen) {
    std::vector<json::object> items;
    for (const broker::VhostDefinition* vhost : asking.topology().vhosts()) {
      if (asking.knows_of(vhost->name)) items.push_back(view_of(asking, *vhost, seen, ranges));
    }
    const std::size_t count = items.size();
    reply_list(asking, count, [items = std::move(items)] { return items; }, {"name"});
  });
}

void show_vhost(Call& call) {
  const auto ranges = call.sample_ranges();
  if (!ranges) return;
  call.observe(sums_of(call), [ranges = *ranges](Call& asking, node::Observed&& seen) {
    const broker::VhostDefinition* const vhost = asking.topology().find_vhost(asking.capture("vhost"));
    if (vhost == nullptr) return asking.not_found();
    reply_item(asking, view_of(asking, *vhost, seen, ranges));
  });
}

// Who makes a vhost may use it, as in RabbitMQ.
void put_vhost(Call& call) {
  auto reading = read_body(call, "vhost", read_vhost, {{"name", call.capture("vhost")}});
  if (!reading) return;
  broker::VhostDefinition vhost = only<broker::PutVhostRequest>(*reading).vhost;
  const broker::VhostDefinition* const known = call.topology().find_vhost(vhost.name);
  const bool was_there = known != nullptr;
  if (was_there && !call.says("description")) vhost.description = known->description;
  if (was_there && !call.says("tags")) vhost.tags = known->tags;
  if (was_there && !call.says("default_queue_type")) vhost.default_queue_type = known->default_queue_type;
  const bool says_tracing = call.says("tracing");
  broker::PermissionDefinition permission{call.user(), vhost.name, ".*", ".*", ".*"};
  std::vector<broker::Request> requests;
  requests.emplace_back(broker::PutVhostRequest{std::move(vhost), says_tracing});
  if (!was_there) requests.emplace_back(broker::PutPermissionRequest{std::move(permission)});
  call.decide_all(std::move(requests), [call = call.keep(), was_there] { call->put_done(was_there); });
}

void delete_vhost(Call& call) {
  call.decide(broker::DeleteVhost{call.capture("vhost")}, [call = call.keep()] { call->no_content(); });
}

// It was never stopped.
void start_vhost(Call& call) {
  if (call.capture("node") != call.api().at().client.node_name()) return call.not_found();
  call.no_content();
}

constexpr Route routes[] = {
    {"POST", "/api/vhosts/:vhost/start/:node", Needs::administrator, start_vhost,
     "Starts a virtual host on a node: it runs, wherever it is there", Gives::done},
    {"GET",
     "/api/vhosts",
     Needs::a_user,
     list_vhosts,
     "All virtual hosts",
     {Gives::list, "", sample_parameters}},
    {"GET",
     "/api/vhosts/:vhost",
     Needs::a_user,
     show_vhost,
     "One virtual host",
     {Gives::item, "", sample_parameters}},
    {.method = "PUT",
     .pattern = "/api/vhosts/:vhost",
     .needs = Needs::administrator,
     .answer = put_vhost,
     .summary = "Makes a virtual host, or describes it anew",
     .contract = {Gives::made, "description:string tags:words default_queue_type:string limits:object"},
     .vhost_may_be_missing = true},
    {"DELETE", "/api/vhosts/:vhost", Needs::administrator, delete_vhost,
     "Deletes a virtual host with all that is in it", Gives::done},
};

}  // namespace

std::span<const Route> vhost_routes() { return routes; }

}  // namespace weir::admin
