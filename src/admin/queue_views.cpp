#include "admin/queue_views.h"

#include "admin/json_value.h"
#include "admin/json_views.h"
#include "admin/stats_views.h"
#include "broker/declare_arguments.h"
#include "broker/policy_keys.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

json::value text_or_null(const std::string& text) { return text.empty() ? json::value() : json::value(text); }

}  // namespace

QueueFacts facts_of(const broker::Topology& topology, const broker::QueueDefinition& queue) {
  const broker::PolicyDefinition* const policy = topology.policy_of(queue, false);
  const broker::PolicyDefinition* const of_operator = topology.policy_of(queue, true);
  return {queue, policy_name(policy), policy_name(of_operator), broker::merge_policies(policy, of_operator)};
}

json::object queue_view(const QueueFacts& queue, const std::string& node_name) {
  const broker::QueueDefinition& definition = queue.definition;
  json::object view;
  view["name"] = definition.name;
  view["vhost"] = definition.vhost;
  view["type"] = queue_type_name(definition);
  view["durable"] = definition.durable;
  view["auto_delete"] = definition.auto_delete;
  view["exclusive"] = definition.exclusive;
  view["arguments"] = to_json(definition.arguments);
  view["node"] = node_name;
  view["state"] = "running";
  view["policy"] = text_or_null(queue.policy);
  view["operator_policy"] = text_or_null(queue.operator_policy);
  view["effective_policy_definition"] = to_json(queue.effective_policy);
  return view;
}

SeenQueue seen_queue(const Call& call, const broker::QueueDefinition& queue, node::QueueRow row,
                     const SampleRanges& ranges) {
  SeenQueue seen{facts_of(call.topology(), queue), std::move(row), {}};
  const Recorder* const recorder = call.api().recorder();
  if (recorder == nullptr || (!ranges.lengths && !ranges.msg_rates)) return seen;
  auto history = recorder->of_queue(queue.id);
  if (history == nullptr) history = still_history(seen.row, recorder->began_ms());
  seen.histories.push_back(std::move(history));
  return seen;
}

json::object seen_queue_view(const SeenQueue& queue, const std::string& node_name, std::uint64_t now_ms,
                             const SampleRanges& ranges) {
  json::object view = queue_view(queue.facts, node_name);
  add_queue_row(view, queue.row, now_ms);
  add_queue_samples(view, queue.histories, ranges);
  return view;
}

}  // namespace weir::admin
