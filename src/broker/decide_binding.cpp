// What it is: binding and unbinding.
#include "broker/cascade.h"
#include "broker/decide_parts.h"
#include "broker/declare_arguments.h"
#include "broker/exchange_arguments.h"

namespace weir::broker {

namespace {

Status check_not_default(const BindingDefinition& binding) {
  const bool to_default = binding.kind == DestinationKind::exchange && binding.destination.empty();
  if (!to_default && !binding.source.empty()) return {};
  return fail(ErrorCode::access_refused, "operation not permitted on the default exchange");
}

// Only a queue can be exclusive.
Status check_destination(const Topology& topology, const Actor& actor, const BindingDefinition& binding) {
  if (binding.kind != DestinationKind::queue) return {};
  const QueueDefinition* const queue = topology.find_queue(binding.vhost, binding.destination);
  return queue == nullptr ? Status{} : check_exclusive_access(*queue, actor);
}

bool has_destination(const Topology& topology, const BindingDefinition& binding) {
  if (binding.kind == DestinationKind::queue)
    return topology.find_queue(binding.vhost, binding.destination) != nullptr;
  return topology.find_exchange(binding.vhost, binding.destination) != nullptr;
}

}  // namespace

Result<Decision> decide_bind(const Topology& topology, const Actor& actor, const Bind& request) {
  const BindingDefinition& binding = request.binding;
  if (topology.find_vhost(binding.vhost) == nullptr) return no_such_vhost(binding.vhost);
  WEIR_TRY(check_not_default(binding));
  const ExchangeDefinition* const source = topology.find_exchange(binding.vhost, binding.source);
  if (source == nullptr) return no_such(DestinationKind::exchange, binding.vhost, binding.source);
  if (!has_destination(topology, binding)) return no_such(binding.kind, binding.vhost, binding.destination);
  WEIR_TRY(check_exchange_binding(*source, binding));
  WEIR_TRY(check_destination(topology, actor, binding));
  if (topology.has_binding(binding)) return Decision{};
  WEIR_TRY(check_name_length("routing key", binding.routing_key));
  WEIR_TRY(check_storable(binding.arguments));
  Decision decision;
  decision.changes.emplace_back(PutBinding{binding});
  return decision;
}

Result<Decision> decide_unbind(const Topology& topology, const Actor& actor, const Unbind& request) {
  const BindingDefinition& binding = request.binding;
  if (topology.find_vhost(binding.vhost) == nullptr) return no_such_vhost(binding.vhost);
  WEIR_TRY(check_not_default(binding));
  if (!topology.has_binding(binding)) return Decision{};  // unbinding what is not bound succeeds
  WEIR_TRY(check_destination(topology, actor, binding));
  Decision decision;
  decision.changes.emplace_back(RemoveBinding{binding});
  Cascade cascade(topology, binding.vhost);
  cascade.binding_goes(binding.source);
  cascade.finish(decision.changes);
  return decision;
}

}  // namespace weir::broker
