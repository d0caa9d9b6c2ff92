// What it is: declaring and deleting exchanges.
#include <fmt/format.h>

#include <optional>

#include "broker/cascade.h"
#include "broker/decide_parts.h"
#include "broker/declare_arguments.h"
#include "broker/equivalence.h"
#include "broker/exchange_arguments.h"

namespace weir::broker {

namespace {

constexpr std::string_view alternate_exchange = "alternate-exchange";

Status check_not_default(std::string_view name) {
  if (!name.empty()) return {};
  return fail(ErrorCode::access_refused, "operation not permitted on the default exchange");
}

Status check_equivalent(const ExchangeDefinition& known, const DeclareExchange& request,
                        std::string_view resource) {
  WEIR_TRY(same_property("type", resource, request.type, to_string(known.type)));
  WEIR_TRY(same_property("durable", resource, request.durable, known.durable));
  WEIR_TRY(same_property("auto_delete", resource, request.auto_delete, known.auto_delete));
  WEIR_TRY(same_property("internal", resource, request.internal, known.internal));
  return same_argument(alternate_exchange, resource, request.arguments, known.arguments);
}

Status check_new(const DeclareExchange& request, ExchangeType type, const Actor& actor,
                 std::string_view resource) {
  if (is_reserved(request.name) && !is_broker(actor)) {
    return fail(ErrorCode::access_refused,
                fmt::format("exchange name '{}' contains reserved prefix 'amq.*'", request.name));
  }
  WEIR_TRY(check_name_length("exchange name", request.name));
  const Value* const alternate = request.arguments.find(alternate_exchange);
  if (alternate != nullptr && alternate->as_string() == nullptr) {
    return fail(ErrorCode::precondition_failed,
                fmt::format("invalid type '{}' for arg '{}' in {}", type_name(*alternate), alternate_exchange,
                            resource));
  }
  WEIR_TRY(check_storable(request.arguments));
  return check_exchange_arguments(type, request.arguments);
}

// What it needs a queue of its own for.
Status add_own_queue(const Topology& topology, const DeclareExchange& request, Placement placement,
                     std::vector<Change>& changes) {
  const QueueRole role = own_queue_role(request.type);
  if (role == QueueRole::plain) return {};
  const Result<QueueId> id =
      take_queue_id(topology, queue_id_lane(request.vhost, request.name, request.durable), changes);
  if (!id) return std::unexpected(id.error());
  changes.emplace_back(PutQueue{{.vhost = request.vhost,
                                 .name = request.name,
                                 .id = *id,
                                 .shard = place_queue(request.vhost, request.name, placement.shards),
                                 .durable = request.durable,
                                 .owner = SessionId{0},
                                 .arguments = own_queue_arguments(role, request.arguments),
                                 .role = role}});
  return {};
}

}  // namespace

Result<Decision> decide_declare_exchange(const Topology& topology, const Actor& actor,
                                         const DeclareExchange& request, Placement placement) {
  if (topology.find_vhost(request.vhost) == nullptr) return no_such_vhost(request.vhost);
  const ExchangeDefinition* const known = topology.find_exchange(request.vhost, request.name);
  if (request.passive) {
    WEIR_TRY(check_not_default(request.name));
    if (known == nullptr) return no_such(DestinationKind::exchange, request.vhost, request.name);
    return Decision{};
  }
  const auto type = exchange_type(request.type);
  if (!type)
    return fail(ErrorCode::invalid_argument, fmt::format("unknown exchange type '{}'", request.type));
  WEIR_TRY(check_not_default(request.name));
  const std::string resource = resource_text(DestinationKind::exchange, request.vhost, request.name);
  if (known != nullptr) {
    WEIR_TRY(check_equivalent(*known, request, resource));
    return Decision{};
  }
  WEIR_TRY(check_new(request, *type, actor, resource));
  Decision decision;
  decision.changes.emplace_back(PutExchange{{.vhost = request.vhost,
                                             .name = request.name,
                                             .type = *type,
                                             .durable = request.durable,
                                             .auto_delete = request.auto_delete,
                                             .internal = request.internal,
                                             .arguments = request.arguments}});
  WEIR_TRY(add_own_queue(topology, request, placement, decision.changes));
  return decision;
}

Result<Decision> decide_delete_exchange(const Topology& topology, const Actor& actor,
                                        const DeleteExchange& request) {
  WEIR_TRY(check_not_default(request.name));
  const std::string resource = resource_text(DestinationKind::exchange, request.vhost, request.name);
  if (is_reserved(request.name) && !is_broker(actor)) {
    return fail(ErrorCode::access_refused, fmt::format("deletion of system {} not allowed", resource));
  }
  // Deleting what is not there succeeds.
  if (topology.find_exchange(request.vhost, request.name) == nullptr) return Decision{};
  if (request.if_unused && topology.count_bindings_from(request.vhost, request.name) > 0) {
    return fail(ErrorCode::precondition_failed, fmt::format("{} in use", resource));
  }
  Decision decision;
  decision.changes.emplace_back(RemoveExchange{request.vhost, request.name});
  Cascade cascade(topology, request.vhost);
  cascade.exchange_goes(request.name);
  cascade.finish(decision.changes);
  return decision;
}

}  // namespace weir::broker
