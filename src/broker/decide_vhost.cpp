// What it is: vhosts, and what a new one holds.
#include <fmt/format.h>

#include "broker/decide_parts.h"
#include "broker/own_exchanges.h"

namespace weir::broker {

namespace {

constexpr std::size_t description_bytes_max = 4'096;
constexpr std::size_t tags_max = 64;

}  // namespace

void new_vhost_changes(const std::string& name, std::vector<Change>& out) {
  struct Predeclared {
    const char* name;
    ExchangeType type;
  };
  out.emplace_back(PutVhost{{.name = name, .description = {}, .tags = {}, .default_queue_type = {}}});
  for (const auto& [exchange, type] : {Predeclared{"", ExchangeType::direct},
                                       {"amq.direct", ExchangeType::direct},
                                       {"amq.fanout", ExchangeType::fanout},
                                       {"amq.topic", ExchangeType::topic},
                                       {"amq.headers", ExchangeType::headers},
                                       {"amq.match", ExchangeType::headers}}) {
    out.emplace_back(
        PutExchange{{.vhost = name, .name = exchange, .type = type, .durable = true, .arguments = {}}});
  }
  out.emplace_back(PutExchange{own_exchange(name, trace_exchange)});
}

Result<Decision> decide_put_vhost(const Topology& topology, const PutVhostRequest& request) {
  VhostDefinition vhost = request.vhost;
  if (vhost.name.empty()) return fail(ErrorCode::invalid_argument, "a vhost's name may not be empty");
  WEIR_TRY(check_name_length("vhost name", vhost.name));
  if (vhost.description.size() > description_bytes_max) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("a description may have {} bytes", description_bytes_max));
  }
  if (vhost.tags.size() > tags_max) {
    return fail(ErrorCode::invalid_argument, fmt::format("a vhost may have {} tags", tags_max));
  }
  for (const std::string& tag : vhost.tags) WEIR_TRY(check_name_length("tag", tag));
  const std::string& type = vhost.default_queue_type;
  if (!type.empty() && type != "classic" && type != "quorum" && type != "stream") {
    return fail(ErrorCode::invalid_argument, fmt::format("Unsupported queue type: {}", type));
  }
  const VhostDefinition* const known = topology.find_vhost(vhost.name);
  if (!request.says_tracing) vhost.tracing = known != nullptr && known->tracing;
  Decision decision;
  if (known == nullptr) new_vhost_changes(vhost.name, decision.changes);
  const VhostDefinition bare{.name = vhost.name, .description = {}, .tags = {}, .default_queue_type = {}};
  if (vhost != (known == nullptr ? bare : *known)) decision.changes.emplace_back(PutVhost{vhost});
  // One that is older than this exchange gets it when it is needed.
  if (known != nullptr && vhost.tracing && topology.find_exchange(vhost.name, trace_exchange) == nullptr)
    decision.changes.emplace_back(PutExchange{own_exchange(vhost.name, trace_exchange)});
  return decision;
}

Result<Decision> decide_delete_vhost(const Topology& topology, const DeleteVhost& request) {
  if (topology.find_vhost(request.name) == nullptr) return no_such_vhost(request.name);
  Decision decision;
  decision.changes.emplace_back(RemoveVhost{request.name});
  return decision;
}

}  // namespace weir::broker
