// What it is: what a Topology holds.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "broker/declare_arguments.h"
#include "broker/exchange.h"
#include "broker/message_keys.h"
#include "broker/permissions.h"
#include "broker/pointer_table.h"
#include "broker/policies.h"
#include "broker/tenant_limits.h"
#include "broker/topic_permissions.h"
#include "broker/topology.h"

namespace weir::broker {

struct QueueNode : Destination {
  explicit QueueNode(QueueDefinition from) : Destination(DestinationKind::queue) { update(std::move(from)); }
  void update(QueueDefinition from) {
    definition = std::move(from);
    target = Target{definition.id,
                    definition.shard,
                    definition.durable,
                    wants_keys(definition.arguments),
                    definition.role == QueueRole::delays,
                    definition.role == QueueRole::history};
  }
  const Table& arguments() const { return by_policy != nullptr ? *by_policy : definition.arguments; }

  QueueDefinition definition;
  Target target;
  std::unique_ptr<Table> by_policy;  // the effective arguments, where they are not those of the definition
};

struct Vhost {
  explicit Vhost(VhostDefinition from) : definition(std::move(from)) {}

  VhostDefinition definition;
  Policies policies;
  PointerTable<std::unique_ptr<Exchange>> exchanges;
  PointerTable<std::unique_ptr<QueueNode>> queues;
  PointerTable<std::unique_ptr<QueueNode>> own_queues;  // of exchanges, by their names

  Exchange* find_exchange(std::string_view name) const;
  QueueNode* find_queue(std::string_view name) const;
  QueueNode* find_own_queue(std::string_view exchange) const;
  Destination* find_destination(DestinationKind kind, std::string_view name) const;
};

inline const std::string& name_of(const Exchange& exchange) { return exchange.definition().name; }
inline const std::string& name_of(const QueueNode& queue) { return queue.definition.name; }
inline const std::string& name_of(const Vhost& vhost) { return vhost.definition.name; }
inline const std::string& name_of(const Destination& destination) {
  return destination.kind == DestinationKind::queue ? name_of(static_cast<const QueueNode&>(destination))
                                                    : name_of(static_cast<const Exchange&>(destination));
}

struct Topology::State {
  PointerTable<std::unique_ptr<Vhost>> vhosts;
  std::map<std::string, UserDefinition, std::less<>> users;
  Permissions permissions;
  TopicPermissions topic_permissions;
  TenantLimits limits;
  // By component, vhost and name.
  std::map<std::tuple<std::string, std::string, std::string>, ParameterDefinition, std::less<>> parameters;
  std::unordered_map<QueueId, QueueNode*> queues_by_id;
  std::unordered_map<SessionId, std::vector<QueueNode*>> exclusive_queues;
  std::array<std::uint32_t, queue_id_lanes> next_ids = {};
  std::uint32_t next_transient_id = 0;
  std::uint64_t version = 0;
  std::vector<QueueId> redefined;

  // Of route(), kept so that it allocates nothing.
  struct Step {
    const Exchange* exchange;
    std::size_t hops;
  };
  mutable std::vector<Step> steps;
  mutable std::uint64_t routing = 0;

  Vhost* find_vhost(std::string_view name) const;

  void operator()(const PutVhost& change);
  void operator()(const RemoveVhost& change);
  void operator()(const PutExchange& change);
  void operator()(const RemoveExchange& change);
  void operator()(const PutQueue& change);
  void operator()(const RemoveQueue& change);
  void operator()(const PutBinding& change);
  void operator()(const RemoveBinding& change);
  void operator()(const PutUser& change);
  void operator()(const RemoveUser& change);
  void operator()(const PutPermission& change);
  void operator()(const RemovePermission& change);
  void operator()(const SetNextQueueId& change);
  void operator()(const PutTopicPermission& change);
  void operator()(const RemoveTopicPermission& change);
  void operator()(const PutLimit& change);
  void operator()(const RemoveLimit& change);
  void operator()(const PutPolicy& change);
  void operator()(const RemovePolicy& change);
  void operator()(const PutParameter& change);
  void operator()(const RemoveParameter& change);

 private:
  void put_own_queue(Vhost& vhost, const QueueDefinition& definition);
  void remove_own_queue(Vhost& vhost, const std::string& exchange);
  void use_policies(Vhost& vhost);
  void remove_exchange(Vhost& vhost, Exchange& exchange);
  void remove_queue(Vhost& vhost, QueueNode& queue);
  void index_queue(QueueNode& queue);
  void unindex_queue(const QueueNode& queue);
  void count_id(const QueueDefinition& queue);
};

}  // namespace weir::broker
