#include "admin/queue_views.h"

#include "admin/json_value.h"
#include "admin/json_views.h"
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

}  // namespace weir::admin
