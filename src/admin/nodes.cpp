// The node. There is one.
#include <utility>

#include "admin/call.h"
#include "admin/listing.h"
#include "admin/resources.h"
#include "admin/server_views.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

void with_node(Call& call, void (*then)(Call&, json::object)) {
  const auto ranges = call.sample_ranges();
  if (!ranges) return;
  node::ObserveScope scope;
  scope.shards = true;
  call.observe(std::move(scope), [then, ranges = *ranges](Call& asking, node::Observed&& seen) {
    const Api& api = asking.api();
    json::object view = node_view(api.facts(), api.at().client.node_name(), seen, seen.at_ms);
    if (const Recorder* const recorder = api.recorder())
      add_node_samples(view, recorder->of_node(), ranges, seen.at_ms);
    then(asking, std::move(view));
  });
}

void list_nodes(Call& call) {
  with_node(call, [](Call& asking, json::object view) {
    reply_list(asking, 1, [view = std::move(view)] { return std::vector<json::object>{view}; }, {"name"});
  });
}

void show_node(Call& call) {
  if (call.capture("name") != call.api().at().client.node_name()) return call.not_found();
  with_node(call, [](Call& asking, json::object view) { reply_item(asking, view); });
}

constexpr Route routes[] = {
    {"GET",
     "/api/nodes",
     Needs::monitor,
     list_nodes,
     "All nodes: there is one",
     {Gives::list, "", node_sample_parameters}},
    {"GET",
     "/api/nodes/:name",
     Needs::monitor,
     show_node,
     "The node",
     {Gives::item, "", node_sample_parameters}},
};

}  // namespace

std::span<const Route> node_routes() { return routes; }

}  // namespace weir::admin
