#include "broker/topology_state.h"

#include <algorithm>

#include "broker/hash.h"
#include "broker/policy_keys.h"

namespace weir::broker {

namespace {

template <typename Table>
auto* find_named(const Table& table, std::string_view name) {
  return table.find(hash_text(name), [&](const auto& entry) { return name_of(entry) == name; });
}

template <typename Table>
void erase_named(Table& table, std::string_view name) {
  table.erase(hash_text(name), [&](const auto& entry) { return name_of(entry) == name; });
}

// What the policies that are for it say. True: its effective arguments are others now.
bool apply_policies(const Policies& policies, QueueNode& queue) {
  if (policies.empty() && queue.by_policy == nullptr) return false;
  const QueueDefinition& definition = queue.definition;
  const QueueType type = queue_type(definition.arguments);
  const Table merged = merge_policies(policies.of_queue(definition.name, type, false),
                                      policies.of_queue(definition.name, type, true));
  Table effective = merge_arguments(definition.arguments, merged);
  if (effective == queue.arguments()) return false;
  const bool own = effective == definition.arguments;
  queue.by_policy = own ? nullptr : std::make_unique<Table>(std::move(effective));
  return true;
}

void apply_policies(const Policies& policies, Exchange& exchange) {
  const std::string& name = name_of(exchange);
  const Table merged = merge_policies(policies.of_exchange(name, false), policies.of_exchange(name, true));
  const Value* const alternate = merged.find(alternate_exchange_key);
  exchange.use_alternate(alternate == nullptr ? nullptr : alternate->as_string());
}

// From the matchers of their sources too: as much work as there are bindings.
void remove_incoming(Destination& destination) {
  while (!destination.incoming.empty()) {
    Binding& binding = *destination.incoming.back();
    binding.source->remove(binding);
  }
}

}  // namespace

Exchange* Vhost::find_exchange(std::string_view name) const { return find_named(exchanges, name); }
QueueNode* Vhost::find_queue(std::string_view name) const { return find_named(queues, name); }
QueueNode* Vhost::find_own_queue(std::string_view exchange) const { return find_named(own_queues, exchange); }
Destination* Vhost::find_destination(DestinationKind kind, std::string_view name) const {
  if (kind == DestinationKind::queue) return find_queue(name);
  return find_exchange(name);
}

Vhost* Topology::State::find_vhost(std::string_view name) const { return find_named(vhosts, name); }

// --- vhosts ---

void Topology::State::operator()(const PutVhost& change) {
  if (Vhost* known = find_vhost(change.vhost.name)) {
    known->definition = change.vhost;
    return;
  }
  vhosts.insert(hash_text(change.vhost.name), std::make_unique<Vhost>(change.vhost));
}

void Topology::State::operator()(const RemoveVhost& change) {
  Vhost* const vhost = find_vhost(change.name);
  if (vhost == nullptr) return;
  // Bindings stay within a vhost: they need not be taken apart one by one.
  vhost->queues.for_each([&](const QueueNode& queue) { unindex_queue(queue); });
  vhost->own_queues.for_each([&](const QueueNode& queue) { unindex_queue(queue); });
  permissions.remove_vhost(change.name);
  topic_permissions.remove_vhost(change.name);
  limits.remove_subject(LimitOf::vhost, change.name);
  std::erase_if(parameters, [&](const auto& entry) { return std::get<1>(entry.first) == change.name; });
  erase_named(vhosts, std::string(change.name));
}

// --- exchanges ---

void Topology::State::operator()(const PutExchange& change) {
  const ExchangeDefinition& definition = change.exchange;
  Vhost* const vhost = find_vhost(definition.vhost);
  if (vhost == nullptr) return;
  if (Exchange* known = vhost->find_exchange(definition.name)) {
    if (known->definition().type == definition.type) {
      known->update(definition);
      return apply_policies(vhost->policies, *known);
    }
    remove_exchange(*vhost, *known);
  }
  auto owned = std::make_unique<Exchange>(definition);
  apply_policies(vhost->policies, *owned);
  vhost->exchanges.insert(hash_text(definition.name), std::move(owned));
}

void Topology::State::operator()(const RemoveExchange& change) {
  Vhost* const vhost = find_vhost(change.vhost);
  Exchange* const exchange = vhost == nullptr ? nullptr : vhost->find_exchange(change.name);
  if (exchange != nullptr) remove_exchange(*vhost, *exchange);
}

void Topology::State::remove_exchange(Vhost& vhost, Exchange& exchange) {
  remove_incoming(exchange);
  exchange.detach();
  remove_own_queue(vhost, name_of(exchange));
  erase_named(vhost.exchanges, std::string(name_of(exchange)));
}

// --- queues ---

void Topology::State::operator()(const PutQueue& change) {
  const QueueDefinition& definition = change.queue;
  Vhost* const vhost = find_vhost(definition.vhost);
  if (vhost == nullptr) return;
  if (definition.role != QueueRole::plain) return put_own_queue(*vhost, definition);
  QueueNode* const known = vhost->find_queue(definition.name);
  const auto of_this_id = queues_by_id.find(definition.id);
  if (of_this_id != queues_by_id.end() && of_this_id->second != known) return;  // another queue has the id
  count_id(definition);
  if (known != nullptr && known->definition.id == definition.id) {
    if (known->definition.arguments != definition.arguments) redefined.push_back(definition.id);
    unindex_queue(*known);
    known->update(definition);
    apply_policies(vhost->policies, *known);
    return index_queue(*known);
  }
  if (known != nullptr) remove_queue(*vhost, *known);
  auto owned = std::make_unique<QueueNode>(definition);
  apply_policies(vhost->policies, *owned);
  index_queue(*owned);
  vhost->queues.insert(hash_text(definition.name), std::move(owned));
}

void Topology::State::put_own_queue(Vhost& vhost, const QueueDefinition& definition) {
  Exchange* const exchange = vhost.find_exchange(definition.name);
  if (exchange == nullptr) return;
  const QueueNode* const known = vhost.find_own_queue(definition.name);
  const auto of_this_id = queues_by_id.find(definition.id);
  if (of_this_id != queues_by_id.end() && of_this_id->second != known) return;  // another queue has the id
  count_id(definition);
  remove_own_queue(vhost, definition.name);
  auto owned = std::make_unique<QueueNode>(definition);
  exchange->set_own_queue(owned.get());
  index_queue(*owned);
  vhost.own_queues.insert(hash_text(definition.name), std::move(owned));
}

void Topology::State::remove_own_queue(Vhost& vhost, const std::string& exchange) {
  const QueueNode* const own = vhost.find_own_queue(exchange);
  if (own == nullptr) return;
  unindex_queue(*own);
  erase_named(vhost.own_queues, std::string(exchange));
}

void Topology::State::operator()(const RemoveQueue& change) {
  Vhost* const vhost = find_vhost(change.vhost);
  QueueNode* const queue = vhost == nullptr ? nullptr : vhost->find_queue(change.name);
  if (queue != nullptr && queue->definition.id == change.id) remove_queue(*vhost, *queue);
}

void Topology::State::remove_queue(Vhost& vhost, QueueNode& queue) {
  remove_incoming(queue);
  unindex_queue(queue);
  erase_named(vhost.queues, std::string(name_of(queue)));
}

void Topology::State::index_queue(QueueNode& queue) {
  queues_by_id[queue.definition.id] = &queue;
  if (queue.definition.exclusive) exclusive_queues[queue.definition.owner].push_back(&queue);
}

void Topology::State::unindex_queue(const QueueNode& queue) {
  queues_by_id.erase(queue.definition.id);
  if (!queue.definition.exclusive) return;
  const auto found = exclusive_queues.find(queue.definition.owner);
  std::erase(found->second, &queue);
  if (found->second.empty()) exclusive_queues.erase(found);
}

// Ids are not given again while the process runs; across a restart SetNextQueueId sees to that.
void Topology::State::count_id(const QueueDefinition& queue) {
  const std::uint32_t id = queue.id.value, lane = id % queue_id_lanes, next = id + queue_id_lanes;
  if (next < id) return;
  if (lane == transient_queue_id_lane && !queue.durable) {
    next_transient_id = std::max(next_transient_id, next);
  } else {
    next_ids[lane] = std::max(next_ids[lane], next);
  }
}

void Topology::State::operator()(const SetNextQueueId& change) {
  std::uint32_t& next = next_ids[change.next.value % queue_id_lanes];
  next = std::max(next, change.next.value);
}

// --- bindings ---

void Topology::State::operator()(const PutBinding& change) {
  const BindingDefinition& binding = change.binding;
  Vhost* const vhost = find_vhost(binding.vhost);
  if (vhost == nullptr || binding.source.empty()) return;
  Exchange* const source = vhost->find_exchange(binding.source);
  Destination* const destination = vhost->find_destination(binding.kind, binding.destination);
  if (source == nullptr || destination == nullptr) return;
  if (source->find(*destination, binding.routing_key, binding.arguments) != nullptr) return;
  source->add(*destination, binding.routing_key, binding.arguments);
}

void Topology::State::operator()(const RemoveBinding& change) {
  const BindingDefinition& binding = change.binding;
  const Vhost* const vhost = find_vhost(binding.vhost);
  if (vhost == nullptr) return;
  Exchange* const source = vhost->find_exchange(binding.source);
  const Destination* const destination = vhost->find_destination(binding.kind, binding.destination);
  if (source == nullptr || destination == nullptr) return;
  if (Binding* known = source->find(*destination, binding.routing_key, binding.arguments))
    source->remove(*known);
}

// --- users ---

void Topology::State::operator()(const PutUser& change) { users[change.user.name] = change.user; }

void Topology::State::operator()(const RemoveUser& change) {
  users.erase(change.name);
  permissions.remove_user(change.name);
  topic_permissions.remove_user(change.name);
  limits.remove_subject(LimitOf::user, change.name);
}

void Topology::State::operator()(const PutPermission& change) {
  const PermissionDefinition& permission = change.permission;
  if (!users.contains(permission.user) || find_vhost(permission.vhost) == nullptr) return;
  permissions.put(permission);
}

void Topology::State::operator()(const RemovePermission& change) {
  permissions.remove(change.user, change.vhost);
}

void Topology::State::operator()(const PutTopicPermission& change) {
  const TopicPermissionDefinition& permission = change.permission;
  if (!users.contains(permission.user) || find_vhost(permission.vhost) == nullptr) return;
  topic_permissions.put(permission);
}

void Topology::State::operator()(const RemoveTopicPermission& change) {
  topic_permissions.remove(change.user, change.vhost, change.exchange);
}

// --- limits, policies, parameters ---

void Topology::State::operator()(const PutLimit& change) {
  const LimitDefinition& limit = change.limit;
  const bool there =
      limit.of == LimitOf::vhost ? find_vhost(limit.subject) != nullptr : users.contains(limit.subject);
  if (there) limits.put(limit);
}

void Topology::State::operator()(const RemoveLimit& change) {
  limits.remove(change.of, change.subject, change.name);
}

// All queues and exchanges of the vhost look for their policies again.
void Topology::State::use_policies(Vhost& vhost) {
  vhost.queues.for_each([&](QueueNode& queue) {
    if (apply_policies(vhost.policies, queue)) redefined.push_back(queue.definition.id);
  });
  vhost.exchanges.for_each([&](Exchange& exchange) { apply_policies(vhost.policies, exchange); });
}

void Topology::State::operator()(const PutPolicy& change) {
  Vhost* const vhost = find_vhost(change.policy.vhost);
  if (vhost == nullptr) return;
  vhost->policies.put(change.policy);
  use_policies(*vhost);
}

void Topology::State::operator()(const RemovePolicy& change) {
  Vhost* const vhost = find_vhost(change.vhost);
  if (vhost != nullptr && vhost->policies.remove(change.name, change.of_operator)) use_policies(*vhost);
}

void Topology::State::operator()(const PutParameter& change) {
  const ParameterDefinition& parameter = change.parameter;
  if (!parameter.vhost.empty() && find_vhost(parameter.vhost) == nullptr) return;
  parameters[{parameter.component, parameter.vhost, parameter.name}] = parameter;
}

void Topology::State::operator()(const RemoveParameter& change) {
  parameters.erase({change.component, change.vhost, change.name});
}

}  // namespace weir::broker
