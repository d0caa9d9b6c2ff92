// What it is: what every shard knows: the definitions, indexed for routing and for permission checks. Each shard holds
// a copy; changes are decided on one shard (broker/decide.h), made durable, and applied on all in the same order.
// Shard: a copy per shard, used on its thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "broker/definitions.h"

namespace weir::broker {

// Where a routed message goes.
struct Target {
  QueueId queue;
  ShardId shard;
  bool durable = false;
  bool grouped = false;  // it wants to know what a message's headers say (broker/message_keys.h)
  bool delays = false;   // it wants to know until when a message waits
  bool history = false;  // it keeps a copy for those who bind later: nobody has the message yet

  // What it gets differs from what other queues get.
  bool particular() const { return grouped || delays; }
};

class Exchange;      // broker/exchange.h
class Grants;        // broker/grants.h
class TenantLimits;  // broker/tenant_limits.h

// What exchanges may ask of a message beyond its routing key. Who routes the next message of the same key the same way
// must know that nothing was asked.
class HeaderSource {
 public:
  virtual const Table& headers() = 0;
  // "message_id", "timestamp" and so on, as the management API names them; as text.
  virtual std::optional<std::string> property(std::string_view) { return std::nullopt; }
  // For those that choose at random.
  virtual std::uint64_t random() { return 0; }
  // It has waited at a delayed exchange: it does not wait again.
  virtual bool waited() { return false; }

 protected:
  ~HeaderSource() = default;
};

enum class Access : std::uint8_t { configure, write, read };

// Who wants to do something. What their token grants counts, where they came with one; else what the definitions say.
struct Who {
  template <typename Name>
    requires std::convertible_to<const Name&, std::string_view>
  Who(const Name& user, const Grants* its_grants = nullptr)  // NOLINT: a name alone is somebody
      : name(user), grants(its_grants) {}

  std::string_view name;
  const Grants* grants;
};
// The same, where topics count.
struct TopicUser {
  Who who;
  std::string_view client_id;  // empty where the protocol has none
};

// Queue ids are given in lanes, so that declarations that are decided at the same time don't meet: a lane by the name's
// hash (id % lanes), and one lane for transient queues, whose ids are reserved on disk a block at a time.
inline constexpr std::uint32_t queue_id_lanes = 64;
inline constexpr std::uint32_t transient_queue_id_lane = queue_id_lanes - 1;

class Topology {
 public:
  Topology();
  ~Topology();
  Topology(const Topology&) = delete;
  Topology& operator=(const Topology&) = delete;

  // Total: a change that makes no sense here (removing what is not there) changes nothing. Durable or not, live or replay.
  void apply(const Change& change);
  // Grows with every applied change: whoever caches a look-up keeps the version that it was made with.
  std::uint64_t version() const;
  // The queues whose effective arguments the last apply() changed, though not their definitions.
  const std::vector<QueueId>& redefined() const;

  // Null if there is none. Valid until the next apply().
  const VhostDefinition* find_vhost(std::string_view name) const;
  const ExchangeDefinition* find_exchange(std::string_view vhost, std::string_view name) const;
  const QueueDefinition* find_queue(std::string_view vhost, std::string_view name) const;
  const QueueDefinition* find_queue(QueueId id) const;
  // Of an exchange's own; null: it has none.
  const QueueDefinition* find_own_queue(std::string_view vhost, std::string_view exchange) const;
  bool has_binding(const BindingDefinition& binding) const;
  const UserDefinition* find_user(std::string_view name) const;
  const PermissionDefinition* find_permission(std::string_view user, std::string_view vhost) const;
  const TopicPermissionDefinition* find_topic_permission(std::string_view user, std::string_view vhost,
                                                         std::string_view exchange) const;
  const PolicyDefinition* find_policy(std::string_view vhost, std::string_view name, bool of_operator) const;
  const ParameterDefinition* find_parameter(std::string_view component, std::string_view vhost,
                                            std::string_view name) const;
  const TenantLimits& limits() const;
  std::size_t count_queues(std::string_view vhost) const;

  // The policy that counts for a queue or an exchange; null if none does.
  const PolicyDefinition* policy_of(const QueueDefinition& queue, bool of_operator) const;
  const PolicyDefinition* policy_of(const ExchangeDefinition& exchange, bool of_operator) const;
  // A queue's arguments with what its policies say. Valid until the next apply().
  const Table& effective_arguments(const QueueDefinition& queue) const;

  // The lowest id of a lane that was never given; of the transient lane: that is not reserved.
  QueueId next_queue_id(std::uint32_t lane) const;
  // The next id within the block of transient ids in use; 0: no transient queue was declared since the start.
  QueueId next_transient_queue_id() const;
  std::size_t count_bindings_from(std::string_view vhost, std::string_view exchange) const;
  // Which exchanges lead to it, in order of name, and by how many bindings.
  std::vector<std::pair<std::string, std::size_t>> sources_of(std::string_view vhost, DestinationKind kind,
                                                              std::string_view name) const;
  // Do they last, and is that to be logged? A binding lasts where both of its ends do.
  bool is_durable(const QueueDefinition& queue) const;
  bool is_durable(const BindingDefinition& binding) const;

  // All of a kind, in order of name (vhost first). For listings, snapshots and cascades; not for hot paths.
  std::vector<const VhostDefinition*> vhosts() const;
  std::vector<const ExchangeDefinition*> exchanges(std::string_view vhost) const;
  std::vector<const QueueDefinition*> queues(std::string_view vhost) const;
  // With those that exchanges have for themselves, in no order.
  std::vector<QueueId> queue_ids(std::string_view vhost) const;
  std::vector<BindingDefinition> bindings(std::string_view vhost) const;
  std::vector<BindingDefinition> bindings_from(std::string_view vhost, std::string_view exchange) const;
  std::vector<BindingDefinition> bindings_to(std::string_view vhost, DestinationKind kind,
                                             std::string_view name) const;
  std::vector<const UserDefinition*> users() const;
  std::vector<const PermissionDefinition*> permissions() const;
  std::vector<const TopicPermissionDefinition*> topic_permissions() const;
  std::vector<const PolicyDefinition*> policies(std::string_view vhost) const;
  std::vector<const ParameterDefinition*> parameters() const;
  std::vector<const QueueDefinition*> queues_owned_by(SessionId owner) const;

  // Appends every queue that the message reaches, each once, in no particular order. not_found: no such exchange.
  // Follows bindings to exchanges (cycles are fine) and alternate exchanges. limit_exceeded: more queues than
  // limits::fan_out_max, or more exchanges in a row than limits::exchange_hops_max.
  // `exclude_internal`: true for a publish by a client: access_refused for an internal exchange.
  Status route(std::string_view vhost, std::string_view exchange, std::string_view routing_key,
               HeaderSource& headers, bool exclude_internal, std::vector<Target>& targets) const;

  // access_refused with RabbitMQ's words. Cached per user, vhost and resource name. The default exchange may be given
  // as "" or as "amq.default".
  Status authorize(const Who& who, std::string_view vhost, Access access, std::string_view resource,
                   DestinationKind kind = DestinationKind::exchange) const;
  // The same of a routing key, where the exchange is one that goes by topics: to publish with it (write), to bind (read).
  Status authorize_topic(const TopicUser& user, std::string_view vhost, Access access,
                         std::string_view exchange, std::string_view routing_key) const;
  // May the user use the vhost at all? access_refused, or not_found for the vhost.
  Status authorize_vhost(const Who& who, std::string_view vhost) const;

  // The whole state as changes, durable definitions only: what a snapshot holds. Applying them to an empty topology gives
  // the durable state.
  void durable_state(std::vector<Change>& out) const;
  // The same, encoded, in no order where none is needed: a million bindings take some tenths of a second, for which the
  // shard stands still.
  void encode_durable_state(std::vector<std::byte>& out) const;

 private:
  void durable_definitions(std::vector<Change>& out) const;
  void encode_durable_bindings(std::string_view vhost, std::vector<std::byte>& out) const;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::broker
