// Where messages of a traced virtual host have been.
#include <algorithm>
#include <utility>

#include "admin/call.h"
#include "admin/resources.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

json::object view_of(const node::Journey& journey) {
  json::array steps;
  for (const node::JourneyStep& step : journey.steps) {
    json::object view{{"at_ms", step.at_ms}, {"what", step.what}};
    if (!step.consumer.empty()) view["consumer_tag"] = step.consumer;
    steps.push_back(std::move(view));
  }
  json::object view;
  view["message_id"] = journey.message_id;
  view["correlation_id"] = journey.correlation_id;
  view["traceparent"] = journey.traceparent;
  view["exchange"] = journey.exchange;
  view["routing_key"] = journey.routing_key;
  view["vhost"] = journey.vhost;
  view["queue"] = journey.queue;
  view["sequence"] = journey.seq.value;
  view["persistent"] = journey.persistent;
  view["payload_bytes"] = journey.body_bytes;
  view["steps"] = std::move(steps);
  return view;
}

// The newest of all shards, in the order in which they came.
void show_traces(Call& call) {
  node::ObserveScope scope;
  scope.journeys = node::JourneyQuery{.vhost = call.capture("vhost"),
                                      .message_id = call.parameter("message_id"),
                                      .correlation_id = call.parameter("correlation_id"),
                                      .traceparent = call.parameter("traceparent")};
  call.observe(std::move(scope), [](Call& asking, node::Observed&& seen) {
    const broker::VhostDefinition* const vhost = asking.topology().find_vhost(asking.capture("vhost"));
    if (vhost == nullptr) return asking.not_found();
    std::sort(seen.journeys.begin(), seen.journeys.end(), [](const node::Journey& a, const node::Journey& b) {
      return a.steps.front().at_ms < b.steps.front().at_ms;
    });
    if (seen.journeys.size() > node::journeys_found_max)
      seen.journeys.erase(seen.journeys.begin(),
                          seen.journeys.end() - static_cast<std::ptrdiff_t>(node::journeys_found_max));
    json::array messages;
    for (const node::Journey& journey : seen.journeys) messages.push_back(view_of(journey));
    asking.ok({{"tracing", vhost->tracing}, {"messages", std::move(messages)}});
  });
}

constexpr Route routes[] = {
    {"GET",
     "/api/traces/:vhost",
     Needs::monitor,
     show_traces,
     "Where messages of a traced virtual host have been",
     {Gives::value, {}, "message_id:string correlation_id:string traceparent:string"}},
};

}  // namespace

std::span<const Route> trace_routes() { return routes; }

}  // namespace weir::admin
