// What it is: declaring and deleting queues, by clients, with their connection, and with their last consumer.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "base/rng.h"
#include "broker/cascade.h"
#include "broker/decide_parts.h"
#include "broker/declare_arguments.h"
#include "broker/equivalence.h"
#include "broker/hash.h"
#include "broker/tenant_limits.h"

namespace weir::broker {

namespace {

// One record on disk for so many transient queues.
constexpr std::uint32_t transient_ids_per_block = 1'024;
constexpr std::size_t generated_characters = 22;

std::string generate_name(const Topology& topology, const std::string& vhost, std::uint64_t random) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  Rng rng(random);
  for (;;) {
    std::string name = "amq.gen-";
    for (std::size_t i = 0; i < generated_characters; ++i) name += alphabet[rng.below(alphabet.size())];
    if (topology.find_queue(vhost, name) == nullptr) return name;
  }
}

// An exclusive queue goes with its connection, so it does not outlast the server whatever it asks for.
bool will_last(const DeclareQueue& request) { return request.durable && !request.exclusive; }

Status check_quorum(const DeclareQueue& request, std::string_view resource) {
  const auto invalid = [&](std::string_view property) {
    return fail(ErrorCode::precondition_failed,
                fmt::format("invalid property '{}' for {}", property, resource));
  };
  if (request.auto_delete) return invalid("auto-delete");
  if (request.exclusive) return invalid("exclusive-owner");
  if (!request.durable) return invalid("non-durable");
  return {};
}

// `update`: of the arguments only those that can't change.
Status check_equivalent(const QueueDefinition& known, const DeclareQueue& request, const Actor& actor,
                        std::string_view resource, bool update) {
  const bool same_owner =
      request.exclusive ? known.exclusive && known.owner == actor.session : !known.exclusive;
  if (!same_owner) return locked(known);
  WEIR_TRY(same_property("durable", resource, will_last(request), known.durable));
  WEIR_TRY(same_property("auto_delete", resource, request.auto_delete, known.auto_delete));
  const auto type = static_cast<unsigned>(queue_type(known.arguments));
  for (const ArgumentRule& rule : argument_rules()) {
    const bool may_differ = update && rule.revision == Revision::in_place;
    if ((rule.types & type) != 0 && !may_differ)
      WEIR_TRY(same_argument(rule.name, resource, request.arguments, known.arguments));
  }
  return {};
}

Status check_new(const DeclareQueue& request, std::string_view resource) {
  WEIR_TRY(check_name_length("queue name", request.name));
  const Value* const dead_letters = request.arguments.find("x-dead-letter-exchange");
  if (dead_letters != nullptr && dead_letters->as_string() == nullptr) {
    return fail(ErrorCode::precondition_failed,
                fmt::format("invalid type '{}' for arg 'x-dead-letter-exchange' in {}",
                            type_name(*dead_letters), resource));
  }
  WEIR_TRY(check_storable(request.arguments));
  WEIR_TRY(check_queue_arguments(request.arguments, resource));
  if (queue_type(request.arguments) == QueueType::quorum) return check_quorum(request, resource);
  return {};
}

// A declaration that does not say its type gets the vhost's, where such a queue can be of it. Of a queue that is there
// already it asks for nothing then.
DeclareQueue with_default_type(const Topology& topology, DeclareQueue request) {
  const std::string& type = topology.find_vhost(request.vhost)->default_queue_type;
  const bool can_be_any = request.durable && !request.exclusive && !request.auto_delete;
  if (type.empty() || !can_be_any || request.arguments.find("x-queue-type") != nullptr) return request;
  const QueueDefinition* const known = topology.find_queue(request.vhost, request.name);
  if (known == nullptr) {
    request.arguments.append("x-queue-type", Value{type});
  } else if (const Value* const its = known->arguments.find("x-queue-type")) {
    request.arguments.append("x-queue-type", *its);
  }
  return request;
}

Status check_queue_limit(const Topology& topology, const std::string& vhost, const std::string& name) {
  const auto most = topology.limits().value(LimitOf::vhost, vhost, limit_names::max_queues);
  if (!most || topology.count_queues(vhost) < *most) return {};
  return fail(ErrorCode::precondition_failed,
              fmt::format("cannot declare queue '{}': queue limit in vhost '{}' ({}) is reached", name, vhost,
                          *most));
}

Decision found(const QueueDefinition& queue) {
  Decision decision;
  decision.queue_name = queue.name;
  decision.queue = queue.id;
  decision.queue_shard = queue.shard;
  return decision;
}

Result<Decision> decide_passive(const Topology& topology, const Actor& actor, const DeclareQueue& request) {
  const QueueDefinition* const known = topology.find_queue(request.vhost, request.name);
  if (known == nullptr) return no_such(DestinationKind::queue, request.vhost, request.name);
  WEIR_TRY(check_exclusive_access(*known, actor));
  return found(*known);
}

// The queue gets the arguments of the request, with the type that it has.
Result<Decision> decide_update(const QueueDefinition& known, const DeclareQueue& request,
                               std::string_view resource) {
  QueueDefinition revised = known;
  revised.arguments = request.arguments;
  WEIR_TRY(check_storable(revised.arguments));
  WEIR_TRY(check_queue_arguments(revised.arguments, resource));
  Decision decision = found(known);
  if (revised.arguments != known.arguments) decision.changes.emplace_back(PutQueue{std::move(revised)});
  return decision;
}

Decision removal(const Topology& topology, const QueueDefinition& queue) {
  Decision decision = found(queue);
  decision.changes.emplace_back(RemoveQueue{queue.vhost, queue.name, queue.id});
  Cascade cascade(topology, queue.vhost);
  cascade.destination_goes(DestinationKind::queue, queue.name);
  cascade.finish(decision.changes);
  return decision;
}

}  // namespace

std::uint32_t queue_id_lane(std::string_view vhost, std::string_view name, bool will_last) {
  if (!will_last) return transient_queue_id_lane;
  return static_cast<std::uint32_t>(hash_text(name, hash_text(vhost)) % transient_queue_id_lane);
}

std::uint32_t queue_id_lane(const DeclareQueue& request) {
  return queue_id_lane(request.vhost, request.name, will_last(request));
}

Result<QueueId> take_queue_id(const Topology& topology, std::uint32_t lane, std::vector<Change>& changes) {
  const QueueId reserved = topology.next_queue_id(lane);
  const QueueId in_block = topology.next_transient_queue_id();
  const bool transient = lane == transient_queue_id_lane;
  if (transient && in_block.value != 0 && in_block < reserved) return in_block;
  const std::uint32_t step = queue_id_lanes * (transient ? transient_ids_per_block : 1);
  if (reserved.value > std::numeric_limits<std::uint32_t>::max() - step) {
    return fail(ErrorCode::limit_exceeded, "there are no queue ids left");
  }
  changes.emplace_back(SetNextQueueId{QueueId{reserved.value + step}});
  return reserved;
}

std::unexpected<Error> locked(const QueueDefinition& queue) {
  return fail(
      ErrorCode::resource_locked,
      fmt::format(
          "cannot obtain exclusive access to locked {}. It could be originally declared on another "
          "connection or the exclusive property value does not match that of the original declaration.",
          resource_text(DestinationKind::queue, queue.vhost, queue.name)));
}

Status check_exclusive_access(const QueueDefinition& queue, const Actor& actor) {
  if (!queue.exclusive || queue.owner == actor.session || is_broker(actor)) return {};
  return locked(queue);
}

Result<Decision> decide_declare_queue(const Topology& topology, const Actor& actor, const DeclareQueue& asked,
                                      Placement placement) {
  if (topology.find_vhost(asked.vhost) == nullptr) return no_such_vhost(asked.vhost);
  if (asked.passive) return decide_passive(topology, actor, asked);
  DeclareQueue request = with_default_type(topology, asked);
  if (is_reserved(request.name) && !is_broker(actor)) {
    return fail(ErrorCode::access_refused,
                fmt::format("queue name '{}' contains reserved prefix 'amq.*'", request.name));
  }
  std::string name = request.name;
  if (name.empty()) {
    if (queue_type(request.arguments) == QueueType::quorum) {
      return fail(ErrorCode::precondition_failed,
                  "Cannot declare a server-named queue for type rabbit_quorum_queue");
    }
    name = generate_name(topology, request.vhost, placement.random);
  }
  const std::string resource = resource_text(DestinationKind::queue, request.vhost, name);
  const Result<bool> update = take_update(request.arguments, resource);
  WEIR_TRY(update);
  if (const QueueDefinition* known = topology.find_queue(request.vhost, name)) {
    WEIR_TRY(check_equivalent(*known, request, actor, resource, *update));
    return *update ? decide_update(*known, request, resource) : found(*known);
  }
  WEIR_TRY(check_new(request, resource));
  if (!is_broker(actor)) WEIR_TRY(check_queue_limit(topology, request.vhost, name));
  std::vector<Change> changes;
  const Result<QueueId> id = take_queue_id(topology, queue_id_lane(request), changes);
  if (!id) return std::unexpected<Error>(id.error());
  QueueDefinition queue{.vhost = request.vhost,
                        .name = name,
                        .id = *id,
                        .shard = place_queue(request.vhost, name, placement.shards),
                        .durable = will_last(request),
                        .auto_delete = request.auto_delete,
                        .exclusive = request.exclusive,
                        .owner = request.exclusive ? actor.session : SessionId{0},
                        .arguments = request.arguments};
  Decision decision = found(queue);
  decision.changes = std::move(changes);
  decision.changes.emplace_back(PutQueue{std::move(queue)});
  return decision;
}

Result<Decision> decide_delete_queue(const Topology& topology, const Actor& actor,
                                     const DeleteQueue& request) {
  const QueueDefinition* const known = topology.find_queue(request.vhost, request.name);
  if (known == nullptr) return Decision{};  // deleting what is not there succeeds
  WEIR_TRY(check_exclusive_access(*known, actor));
  return removal(topology, *known);
}

Result<Decision> decide_auto_delete_queue(const Topology& topology, const AutoDeleteQueue& request) {
  const QueueDefinition* const known = topology.find_queue(request.queue);
  if (known == nullptr || (!known->auto_delete && !request.unused)) return Decision{};
  return removal(topology, *known);
}

Result<Decision> decide_end_session(const Topology& topology, const EndSession& request) {
  Decision decision;
  std::map<std::string, Cascade> cascades;  // a connection is in one vhost, but nothing here depends on it
  for (const QueueDefinition* queue : topology.queues_owned_by(request.session)) {
    decision.changes.emplace_back(RemoveQueue{queue->vhost, queue->name, queue->id});
    const auto cascade = cascades.try_emplace(queue->vhost, topology, queue->vhost).first;
    cascade->second.destination_goes(DestinationKind::queue, queue->name);
  }
  for (auto& [vhost, cascade] : cascades) cascade.finish(decision.changes);
  return decision;
}

}  // namespace weir::broker
