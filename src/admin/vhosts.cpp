// Virtual hosts: listed, made, described and deleted.
#include <utility>

#include "admin/body_entry.h"
#include "admin/call.h"
#include "admin/json_views.h"
#include "admin/listing.h"
#include "admin/resources.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

void list_vhosts(Call& call) {
  std::vector<broker::VhostDefinition> vhosts;
  for (const broker::VhostDefinition* vhost : call.topology().vhosts()) {
    if (call.knows_of(vhost->name)) vhosts.push_back(*vhost);
  }
  const std::size_t count = vhosts.size();
  reply_list(call, count,
             [vhosts = std::move(vhosts), node_name = call.api().at().client.node_name()] {
               std::vector<json::object> items;
               for (const broker::VhostDefinition& vhost : vhosts)
                 items.push_back(vhost_view(vhost, node_name));
               return items;
             },
             {"name"});
}

void show_vhost(Call& call) {
  const broker::VhostDefinition* const vhost = call.topology().find_vhost(call.capture("vhost"));
  if (vhost == nullptr) return call.not_found();
  reply_item(call, vhost_view(*vhost, call.api().at().client.node_name()));
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
  broker::PermissionDefinition permission{call.user(), vhost.name, ".*", ".*", ".*"};
  std::vector<broker::Request> requests;
  requests.emplace_back(broker::PutVhostRequest{std::move(vhost)});
  if (!was_there) requests.emplace_back(broker::PutPermissionRequest{std::move(permission)});
  call.decide_all(std::move(requests), [call = call.keep(), was_there] { call->put_done(was_there); });
}

void delete_vhost(Call& call) {
  call.decide(broker::DeleteVhost{call.capture("vhost")}, [call = call.keep()] { call->no_content(); });
}

constexpr Route routes[] = {
    {"GET", "/api/vhosts", Needs::a_user, list_vhosts, "All virtual hosts"},
    {"GET", "/api/vhosts/:vhost", Needs::a_user, show_vhost, "One virtual host"},
    {.method = "PUT",
     .pattern = "/api/vhosts/:vhost",
     .needs = Needs::administrator,
     .answer = put_vhost,
     .summary = "Makes a virtual host, or describes it anew",
     .vhost_may_be_missing = true},
    {"DELETE", "/api/vhosts/:vhost", Needs::administrator, delete_vhost,
     "Deletes a virtual host with all that is in it"},
};

}  // namespace

std::span<const Route> vhost_routes() { return routes; }

}  // namespace weir::admin
