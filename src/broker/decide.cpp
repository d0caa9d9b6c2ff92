#include "broker/decide.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.h"
#include "broker/decide_parts.h"
#include "broker/exchange_arguments.h"
#include "broker/tenant_limits.h"

namespace weir::broker {

namespace {

std::string touched(char kind, std::string_view first, std::string_view second) {
  return fmt::format("{}{}{}{}{}", kind, '\0', first, '\0', second);
}
std::string touched(char kind, std::string_view name) { return fmt::format("{}{}{}", kind, '\0', name); }

struct Toucher {
  const Topology& topology;
  std::vector<std::string>& out;

  void everything() const { out.emplace_back("*"); }
  static char kind_of(const BindingDefinition& binding) {
    return binding.kind == DestinationKind::queue ? 'q' : 'x';
  }
  void unbinding(const BindingDefinition& binding) const {
    out.push_back(touched('x', binding.vhost, binding.source));
    if (kind_of(binding) == 'q' || binding.destination != binding.source) {
      out.push_back(touched(kind_of(binding), binding.vhost, binding.destination));
    }
  }
  void binding(const BindingDefinition& binding) const {
    const std::size_t before = out.size();
    unbinding(binding);
    for (std::size_t i = before; i < out.size(); ++i) out[i].insert(out[i].begin(), shared_touch);
    out.push_back(fmt::format("b{}{}{}{}{}{}{}{}{}", '\0', binding.vhost, '\0', binding.source, '\0',
                              kind_of(binding), binding.destination, '\0', binding.routing_key));
  }

  void operator()(const DeclareExchange& request) const {
    out.push_back(touched('x', request.vhost, request.name));
    if (!request.passive && own_queue_role(request.type) != QueueRole::plain) {
      out.push_back(
          touched('i', std::to_string(queue_id_lane(request.vhost, request.name, request.durable))));
    }
  }
  void operator()(const DeleteExchange& request) const {
    out.push_back(touched('x', request.vhost, request.name));
  }
  void operator()(const DeclareQueue& request) const {
    out.push_back(touched('q', request.vhost, request.name));
    if (request.passive) return;
    out.push_back(touched('i', std::to_string(queue_id_lane(request))));
    // One after the other, so that there are never more than there may be.
    if (topology.limits().value(LimitOf::vhost, request.vhost, limit_names::max_queues))
      out.push_back(touched('n', request.vhost));
  }
  void operator()(const DeleteQueue& request) const {
    out.push_back(touched('q', request.vhost, request.name));
  }
  void operator()(const Bind& request) const { binding(request.binding); }
  // An exchange may go with its last binding.
  void operator()(const Unbind& request) const { unbinding(request.binding); }
  void operator()(const PutUserRequest& request) const { out.push_back(touched('u', request.user.name)); }
  void operator()(const DeleteUser& request) const { out.push_back(touched('u', request.name)); }
  void operator()(const PutPermissionRequest& request) const {
    out.push_back(touched('u', request.permission.user));
    out.push_back(touched('v', request.permission.vhost));
  }
  void operator()(const DeletePermission& request) const {
    out.push_back(touched('u', request.user));
    out.push_back(touched('v', request.vhost));
  }
  void operator()(const PutTopicPermissionRequest& request) const {
    out.push_back(touched('u', request.permission.user));
    out.push_back(touched('v', request.permission.vhost));
  }
  void operator()(const DeleteTopicPermission& request) const {
    out.push_back(touched('u', request.user));
    out.push_back(touched('v', request.vhost));
  }
  void limit(LimitOf of, const std::string& subject) const {
    out.push_back(touched(of == LimitOf::vhost ? 'v' : 'u', subject));
  }
  void operator()(const PutLimitRequest& request) const { limit(request.limit.of, request.limit.subject); }
  void operator()(const DeleteLimit& request) const { limit(request.of, request.subject); }
  void operator()(const PutPolicyRequest& request) const {
    out.push_back(touched('p', request.policy.vhost, request.policy.name));
  }
  void operator()(const DeletePolicy& request) const {
    out.push_back(touched('p', request.vhost, request.name));
  }
  void operator()(const PutParameterRequest& request) const {
    out.push_back(touched('m', request.parameter.component, request.parameter.name));
  }
  void operator()(const DeleteParameter& request) const {
    out.push_back(touched('m', request.component, request.name));
  }
  void operator()(const PutVhostRequest&) const { everything(); }
  void operator()(const DeleteVhost&) const { everything(); }
  void operator()(const EndSession&) const { everything(); }
  void operator()(const AutoDeleteQueue&) const { everything(); }  // it does not say the queue's name
};

struct DurabilityOf {
  const Topology& topology;

  bool exchange(const std::string& vhost, const std::string& name) const {
    const ExchangeDefinition* const known = topology.find_exchange(vhost, name);
    return known != nullptr && known->durable;
  }

  bool operator()(const PutExchange& change) const {
    // Also where it takes the place of a durable one.
    return change.exchange.durable || exchange(change.exchange.vhost, change.exchange.name);
  }
  bool operator()(const RemoveExchange& change) const { return exchange(change.vhost, change.name); }
  bool operator()(const PutQueue& change) const { return topology.is_durable(change.queue); }
  bool operator()(const RemoveQueue& change) const {
    const QueueDefinition* const known = topology.find_queue(change.vhost, change.name);
    return known != nullptr && topology.is_durable(*known);
  }
  bool operator()(const PutBinding& change) const { return topology.is_durable(change.binding); }
  bool operator()(const RemoveBinding& change) const { return topology.is_durable(change.binding); }
  template <typename Other>
  bool operator()(const Other&) const {
    return true;  // all that is not declared by clients, and the counters of ids
  }
};

struct Decider {
  const Topology& topology;
  const Actor& actor;
  Placement placement;

  Result<Decision> operator()(const DeclareExchange& r) const {
    return decide_declare_exchange(topology, actor, r, placement);
  }
  Result<Decision> operator()(const DeleteExchange& r) const {
    return decide_delete_exchange(topology, actor, r);
  }
  Result<Decision> operator()(const DeclareQueue& r) const {
    return decide_declare_queue(topology, actor, r, placement);
  }
  Result<Decision> operator()(const DeleteQueue& r) const { return decide_delete_queue(topology, actor, r); }
  Result<Decision> operator()(const Bind& r) const { return decide_bind(topology, actor, r); }
  Result<Decision> operator()(const Unbind& r) const { return decide_unbind(topology, actor, r); }
  Result<Decision> operator()(const PutUserRequest& r) const { return decide_put_user(topology, r); }
  Result<Decision> operator()(const DeleteUser& r) const { return decide_delete_user(topology, r); }
  Result<Decision> operator()(const PutPermissionRequest& r) const {
    return decide_put_permission(topology, r);
  }
  Result<Decision> operator()(const PutTopicPermissionRequest& r) const {
    return decide_put_topic_permission(topology, r);
  }
  Result<Decision> operator()(const DeleteTopicPermission& r) const {
    return decide_delete_topic_permission(topology, r);
  }
  Result<Decision> operator()(const PutLimitRequest& r) const { return decide_put_limit(topology, r); }
  Result<Decision> operator()(const DeleteLimit& r) const { return decide_delete_limit(topology, r); }
  Result<Decision> operator()(const PutPolicyRequest& r) const { return decide_put_policy(topology, r); }
  Result<Decision> operator()(const DeletePolicy& r) const { return decide_delete_policy(topology, r); }
  Result<Decision> operator()(const PutParameterRequest& r) const {
    return decide_put_parameter(topology, r);
  }
  Result<Decision> operator()(const DeleteParameter& r) const { return decide_delete_parameter(topology, r); }
  Result<Decision> operator()(const DeletePermission& r) const {
    return decide_delete_permission(topology, r);
  }
  Result<Decision> operator()(const PutVhostRequest& r) const { return decide_put_vhost(topology, r); }
  Result<Decision> operator()(const DeleteVhost& r) const { return decide_delete_vhost(topology, r); }
  Result<Decision> operator()(const EndSession& r) const { return decide_end_session(topology, r); }
  Result<Decision> operator()(const AutoDeleteQueue& r) const {
    return decide_auto_delete_queue(topology, r);
  }
};

}  // namespace

void touched_names(const Topology& topology, const Request& request, std::vector<std::string>& out) {
  std::visit(Toucher{topology, out}, request);
}

bool is_durable(const Change& change, const Topology& topology) {
  return std::visit(DurabilityOf{topology}, change);
}

Result<Decision> decide(const Topology& topology, const Actor& actor, const Request& request,
                        Placement placement) {
  Result<Decision> decision = std::visit(Decider{topology, actor, placement}, request);
  if (decision) {
    decision->durable = std::any_of(decision->changes.begin(), decision->changes.end(),
                                    [&](const Change& change) { return is_durable(change, topology); });
  }
  return decision;
}

// FNV-1a: where queues were placed is on disk, but a new queue of an old name should go where the old one was.
ShardId place_queue(std::string_view vhost, std::string_view name, std::uint16_t shards) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto add = [&](char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL; };
  for (const char c : vhost) add(c);
  add('\0');
  for (const char c : name) add(c);
  hash = (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15ULL;
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(hash ^ (hash >> 29)) * std::max<std::uint16_t>(shards, 1);
  return ShardId{static_cast<std::uint16_t>(product >> 64)};
}

Status check_name_length(std::string_view what, std::string_view name) {
  if (name.size() <= limits::name_bytes_max) return {};
  return fail(ErrorCode::invalid_argument,
              fmt::format("{} is longer than {} bytes", what, limits::name_bytes_max));
}

}  // namespace weir::broker
