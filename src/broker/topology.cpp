#include "broker/topology.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "broker/grants.h"
#include "broker/texts.h"
#include "broker/topology_state.h"
#include "broker/value_codec.h"

namespace weir::broker {

namespace {

// Into one that may have been used before: its texts keep their memory.
void define(const Binding& binding, BindingDefinition& definition) {
  const ExchangeDefinition& source = binding.source->definition();
  definition.vhost = source.vhost;
  definition.source = source.name;
  definition.kind = binding.destination->kind;
  definition.destination = name_of(*binding.destination);
  definition.routing_key = binding.routing_key;
  definition.arguments = binding.table();
}

BindingDefinition definition_of(const Binding& binding) {
  BindingDefinition definition;
  define(binding, definition);
  return definition;
}

std::vector<std::byte> encoded(const Table& table) {
  std::vector<std::byte> bytes;
  Writer writer(bytes);
  encode_table(table, writer);
  return bytes;
}

void sort_bindings(std::vector<BindingDefinition>& bindings) {
  std::sort(bindings.begin(), bindings.end(), [](const BindingDefinition& a, const BindingDefinition& b) {
    const auto order = std::tie(a.vhost, a.source, a.kind, a.destination, a.routing_key) <=>
                       std::tie(b.vhost, b.source, b.kind, b.destination, b.routing_key);
    return order != 0 ? order < 0 : encoded(a.arguments) < encoded(b.arguments);
  });
}

template <typename Definition>
void sort_by_name(std::vector<const Definition*>& definitions) {
  std::sort(definitions.begin(), definitions.end(), [](const Definition* a, const Definition* b) {
    if constexpr (requires { a->vhost; })
      return std::tie(a->vhost, a->name) < std::tie(b->vhost, b->name);
    else
      return a->name < b->name;
  });
}

}  // namespace

Topology::Topology() : state_(std::make_unique<State>()) {
  for (std::uint32_t lane = 0; lane < queue_id_lanes; ++lane)
    state_->next_ids[lane] = lane == 0 ? queue_id_lanes : lane;
}
Topology::~Topology() = default;

void Topology::apply(const Change& change) {
  state_->redefined.clear();
  std::visit(*state_, change);
  ++state_->version;
}

std::uint64_t Topology::version() const { return state_->version; }
const std::vector<QueueId>& Topology::redefined() const { return state_->redefined; }

// --- one of a kind ---

const VhostDefinition* Topology::find_vhost(std::string_view name) const {
  const Vhost* const vhost = state_->find_vhost(name);
  return vhost == nullptr ? nullptr : &vhost->definition;
}

const ExchangeDefinition* Topology::find_exchange(std::string_view vhost, std::string_view name) const {
  const Vhost* const in = state_->find_vhost(vhost);
  const Exchange* const exchange = in == nullptr ? nullptr : in->find_exchange(name);
  return exchange == nullptr ? nullptr : &exchange->definition();
}

const QueueDefinition* Topology::find_queue(std::string_view vhost, std::string_view name) const {
  const Vhost* const in = state_->find_vhost(vhost);
  const QueueNode* const queue = in == nullptr ? nullptr : in->find_queue(name);
  return queue == nullptr ? nullptr : &queue->definition;
}

const QueueDefinition* Topology::find_queue(QueueId id) const {
  const auto found = state_->queues_by_id.find(id);
  return found == state_->queues_by_id.end() ? nullptr : &found->second->definition;
}

const QueueDefinition* Topology::find_own_queue(std::string_view vhost, std::string_view exchange) const {
  const Vhost* const in = state_->find_vhost(vhost);
  const QueueNode* const queue = in == nullptr ? nullptr : in->find_own_queue(exchange);
  return queue == nullptr ? nullptr : &queue->definition;
}

bool Topology::has_binding(const BindingDefinition& binding) const {
  const Vhost* const vhost = state_->find_vhost(binding.vhost);
  if (vhost == nullptr) return false;
  const Exchange* const source = vhost->find_exchange(binding.source);
  const Destination* const destination = vhost->find_destination(binding.kind, binding.destination);
  return source != nullptr && destination != nullptr &&
         source->find(*destination, binding.routing_key, binding.arguments) != nullptr;
}

const UserDefinition* Topology::find_user(std::string_view name) const {
  const auto found = state_->users.find(name);
  return found == state_->users.end() ? nullptr : &found->second;
}

const PermissionDefinition* Topology::find_permission(std::string_view user, std::string_view vhost) const {
  return state_->permissions.find(user, vhost);
}

const TopicPermissionDefinition* Topology::find_topic_permission(std::string_view user,
                                                                 std::string_view vhost,
                                                                 std::string_view exchange) const {
  return state_->topic_permissions.find(user, vhost, exchange);
}

const PolicyDefinition* Topology::find_policy(std::string_view vhost, std::string_view name,
                                              bool of_operator) const {
  const Vhost* const in = state_->find_vhost(vhost);
  return in == nullptr ? nullptr : in->policies.find(name, of_operator);
}

const ParameterDefinition* Topology::find_parameter(std::string_view component, std::string_view vhost,
                                                    std::string_view name) const {
  const auto found = state_->parameters.find(std::tie(component, vhost, name));
  return found == state_->parameters.end() ? nullptr : &found->second;
}

const TenantLimits& Topology::limits() const { return state_->limits; }

std::size_t Topology::count_queues(std::string_view vhost) const {
  const Vhost* const in = state_->find_vhost(vhost);
  return in == nullptr ? 0 : in->queues.size();
}

const PolicyDefinition* Topology::policy_of(const QueueDefinition& queue, bool of_operator) const {
  const Vhost* const in = state_->find_vhost(queue.vhost);
  return in == nullptr ? nullptr
                       : in->policies.of_queue(queue.name, queue_type(queue.arguments), of_operator);
}

const PolicyDefinition* Topology::policy_of(const ExchangeDefinition& exchange, bool of_operator) const {
  const Vhost* const in = state_->find_vhost(exchange.vhost);
  return in == nullptr ? nullptr : in->policies.of_exchange(exchange.name, of_operator);
}

const Table& Topology::effective_arguments(const QueueDefinition& queue) const {
  const auto found = state_->queues_by_id.find(queue.id);
  return found == state_->queues_by_id.end() ? queue.arguments : found->second->arguments();
}

QueueId Topology::next_queue_id(std::uint32_t lane) const { return QueueId{state_->next_ids[lane]}; }
QueueId Topology::next_transient_queue_id() const { return QueueId{state_->next_transient_id}; }

std::size_t Topology::count_bindings_from(std::string_view vhost, std::string_view exchange) const {
  const Vhost* const in = state_->find_vhost(vhost);
  const Exchange* const source = in == nullptr ? nullptr : in->find_exchange(exchange);
  return source == nullptr ? 0 : source->binding_count();
}

std::vector<std::pair<std::string, std::size_t>> Topology::sources_of(std::string_view vhost,
                                                                      DestinationKind kind,
                                                                      std::string_view name) const {
  std::vector<std::pair<std::string, std::size_t>> sources;
  const Vhost* const in = state_->find_vhost(vhost);
  const Destination* const destination = in == nullptr ? nullptr : in->find_destination(kind, name);
  if (destination == nullptr) return sources;
  std::vector<const Exchange*> exchanges;
  for (const Binding* binding : destination->incoming) exchanges.push_back(binding->source);
  std::sort(exchanges.begin(), exchanges.end());
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    if (i == 0 || exchanges[i] != exchanges[i - 1]) sources.emplace_back(name_of(*exchanges[i]), 0);
    ++sources.back().second;
  }
  std::sort(sources.begin(), sources.end());
  return sources;
}

// --- all of a kind ---

std::vector<const VhostDefinition*> Topology::vhosts() const {
  std::vector<const VhostDefinition*> all;
  state_->vhosts.for_each([&](const Vhost& vhost) { all.push_back(&vhost.definition); });
  sort_by_name(all);
  return all;
}

std::vector<const ExchangeDefinition*> Topology::exchanges(std::string_view vhost) const {
  std::vector<const ExchangeDefinition*> all;
  if (const Vhost* in = state_->find_vhost(vhost)) {
    in->exchanges.for_each([&](const Exchange& exchange) { all.push_back(&exchange.definition()); });
  }
  sort_by_name(all);
  return all;
}

std::vector<const QueueDefinition*> Topology::queues(std::string_view vhost) const {
  std::vector<const QueueDefinition*> all;
  if (const Vhost* in = state_->find_vhost(vhost)) {
    in->queues.for_each([&](const QueueNode& queue) { all.push_back(&queue.definition); });
  }
  sort_by_name(all);
  return all;
}

std::vector<QueueId> Topology::queue_ids(std::string_view vhost) const {
  std::vector<QueueId> all;
  const Vhost* const in = state_->find_vhost(vhost);
  if (in == nullptr) return all;
  in->queues.for_each([&](const QueueNode& queue) { all.push_back(queue.definition.id); });
  in->own_queues.for_each([&](const QueueNode& queue) { all.push_back(queue.definition.id); });
  return all;
}

std::vector<BindingDefinition> Topology::bindings(std::string_view vhost) const {
  std::vector<BindingDefinition> all;
  if (const Vhost* in = state_->find_vhost(vhost)) {
    in->exchanges.for_each([&](const Exchange& exchange) {
      exchange.for_each_binding([&](const Binding& binding) { all.push_back(definition_of(binding)); });
    });
  }
  sort_bindings(all);
  return all;
}

std::vector<BindingDefinition> Topology::bindings_from(std::string_view vhost,
                                                       std::string_view exchange) const {
  std::vector<BindingDefinition> all;
  const Vhost* const in = state_->find_vhost(vhost);
  if (const Exchange* source = in == nullptr ? nullptr : in->find_exchange(exchange)) {
    source->for_each_binding([&](const Binding& binding) { all.push_back(definition_of(binding)); });
  }
  sort_bindings(all);
  return all;
}

std::vector<BindingDefinition> Topology::bindings_to(std::string_view vhost, DestinationKind kind,
                                                     std::string_view name) const {
  std::vector<BindingDefinition> all;
  const Vhost* const in = state_->find_vhost(vhost);
  if (const Destination* destination = in == nullptr ? nullptr : in->find_destination(kind, name)) {
    for (const Binding* binding : destination->incoming) all.push_back(definition_of(*binding));
  }
  sort_bindings(all);
  return all;
}

std::vector<const UserDefinition*> Topology::users() const {
  std::vector<const UserDefinition*> all;
  for (const auto& [name, user] : state_->users) all.push_back(&user);
  return all;
}

std::vector<const PermissionDefinition*> Topology::permissions() const { return state_->permissions.all(); }

std::vector<const TopicPermissionDefinition*> Topology::topic_permissions() const {
  return state_->topic_permissions.all();
}

std::vector<const PolicyDefinition*> Topology::policies(std::string_view vhost) const {
  const Vhost* const in = state_->find_vhost(vhost);
  return in == nullptr ? std::vector<const PolicyDefinition*>() : in->policies.all();
}

std::vector<const ParameterDefinition*> Topology::parameters() const {
  std::vector<const ParameterDefinition*> all;
  for (const auto& [key, parameter] : state_->parameters) all.push_back(&parameter);
  return all;
}

std::vector<const QueueDefinition*> Topology::queues_owned_by(SessionId owner) const {
  std::vector<const QueueDefinition*> all;
  if (const auto found = state_->exclusive_queues.find(owner); found != state_->exclusive_queues.end()) {
    for (const QueueNode* queue : found->second) all.push_back(&queue->definition);
  }
  sort_by_name(all);
  return all;
}

// --- permissions ---

Status Topology::authorize(const Who& who, std::string_view vhost, Access access, std::string_view resource,
                           DestinationKind kind) const {
  const std::string_view name =
      kind == DestinationKind::exchange && resource.empty() ? "amq.default" : resource;
  const bool allowed = who.grants != nullptr ? who.grants->allows(vhost, access, name)
                                             : state_->users.contains(who.name) &&
                                                   state_->permissions.allows(who.name, vhost, access, name);
  if (allowed) return {};
  return fail(ErrorCode::access_refused,
              fmt::format("{} access to {} refused for user '{}'", to_string(access),
                          resource_text(kind, vhost, name), who.name));
}

Status Topology::authorize_topic(const TopicUser& user, std::string_view vhost, Access access,
                                 std::string_view exchange, std::string_view routing_key) const {
  const ExchangeDefinition* const known = find_exchange(vhost, exchange);
  if (known == nullptr || known->type != ExchangeType::topic) return {};
  const bool allowed = user.who.grants != nullptr
                           ? user.who.grants->allows_topic(vhost, access, exchange, routing_key)
                           : state_->topic_permissions.allows(user, vhost, access, exchange, routing_key);
  if (allowed) return {};
  return fail(
      ErrorCode::access_refused,
      fmt::format("{} access to topic '{}' in {} refused for user '{}'", to_string(access), routing_key,
                  resource_text(DestinationKind::exchange, vhost, exchange), user.who.name));
}

Status Topology::authorize_vhost(const Who& who, std::string_view vhost) const {
  if (state_->find_vhost(vhost) == nullptr)
    return fail(ErrorCode::not_found, fmt::format("vhost '{}' not found", vhost));
  const bool allowed = who.grants != nullptr ? who.grants->allows_vhost(vhost)
                                             : state_->users.contains(who.name) &&
                                                   state_->permissions.find(who.name, vhost) != nullptr;
  if (allowed) return {};
  return fail(ErrorCode::access_refused,
              fmt::format("access to vhost '{}' refused for user '{}'", vhost, who.name));
}

// --- the durable part ---

void Topology::durable_state(std::vector<Change>& out) const {
  durable_definitions(out);
  for (const VhostDefinition* vhost : vhosts()) {
    for (BindingDefinition& binding : bindings(vhost->name)) {
      if (is_durable(binding)) out.emplace_back(PutBinding{std::move(binding)});
    }
  }
}

void Topology::encode_durable_state(std::vector<std::byte>& out) const {
  std::vector<Change> definitions;
  durable_definitions(definitions);
  for (const Change& change : definitions) encode_change(change, out);
  for (const VhostDefinition* vhost : vhosts()) encode_durable_bindings(vhost->name, out);
}

// All but bindings, which are many.
void Topology::durable_definitions(std::vector<Change>& out) const {
  for (std::uint32_t lane = 0; lane < queue_id_lanes; ++lane) {
    if (state_->next_ids[lane] > queue_id_lanes) out.emplace_back(SetNextQueueId{next_queue_id(lane)});
  }
  for (const VhostDefinition* vhost : vhosts()) {
    out.emplace_back(PutVhost{*vhost});
    // Before what they are for, so that a start needs to look for it once.
    for (const PolicyDefinition* policy : policies(vhost->name)) out.emplace_back(PutPolicy{*policy});
    for (const ExchangeDefinition* exchange : exchanges(vhost->name)) {
      if (!exchange->durable) continue;
      out.emplace_back(PutExchange{*exchange});
      if (const QueueDefinition* own = find_own_queue(vhost->name, exchange->name))
        out.emplace_back(PutQueue{*own});
    }
    for (const QueueDefinition* queue : queues(vhost->name)) {
      if (is_durable(*queue)) out.emplace_back(PutQueue{*queue});
    }
  }
  for (const auto& [name, user] : state_->users) out.emplace_back(PutUser{user});
  for (const PermissionDefinition* permission : permissions()) out.emplace_back(PutPermission{*permission});
  for (const TopicPermissionDefinition* permission : topic_permissions())
    out.emplace_back(PutTopicPermission{*permission});
  for (const LimitDefinition* limit : state_->limits.all()) out.emplace_back(PutLimit{*limit});
  for (const ParameterDefinition* parameter : parameters()) out.emplace_back(PutParameter{*parameter});
}

void Topology::encode_durable_bindings(std::string_view vhost, std::vector<std::byte>& out) const {
  const auto lasts = [&](const Destination& destination) {
    if (destination.kind == DestinationKind::queue)
      return is_durable(static_cast<const QueueNode&>(destination).definition);
    return static_cast<const Exchange&>(destination).definition().durable;
  };
  Change change = PutBinding{};
  BindingDefinition& definition = std::get<PutBinding>(change).binding;
  state_->find_vhost(vhost)->exchanges.for_each([&](const Exchange& exchange) {
    if (!exchange.definition().durable) return;
    exchange.for_each_binding([&](const Binding& binding) {
      if (!lasts(*binding.destination)) return;
      define(binding, definition);
      encode_change(change, out);
    });
  });
}

bool Topology::is_durable(const QueueDefinition& queue) const { return queue.durable && !queue.exclusive; }

bool Topology::is_durable(const BindingDefinition& binding) const {
  const ExchangeDefinition* const source = find_exchange(binding.vhost, binding.source);
  if (source == nullptr || !source->durable) return false;
  if (binding.kind == DestinationKind::queue) {
    const QueueDefinition* const queue = find_queue(binding.vhost, binding.destination);
    return queue != nullptr && is_durable(*queue);
  }
  const ExchangeDefinition* const exchange = find_exchange(binding.vhost, binding.destination);
  return exchange != nullptr && exchange->durable;
}

}  // namespace weir::broker
