// What it is: the definitions of a node as plain values: vhosts, exchanges, queues, bindings, users, permissions, limits,
// policies, parameters; the changes that are logged and sent to every shard; and their encoding
// (docs/formats/definitions.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/ids.h"
#include "broker/value.h"

namespace weir::broker {

// Values are on disk: never renumber.
enum class ExchangeType : std::uint8_t {
  direct = 1,
  fanout = 2,
  topic = 3,
  headers = 4,
  consistent_hash = 5,
  modulus_hash = 6,
  random = 7,
  local_random = 8,
  recent_history = 9,
  delayed = 10,
};
std::string_view to_string(ExchangeType type);
std::optional<ExchangeType> exchange_type(std::string_view name);
// Of a delayed exchange: the name of the type by which it routes.
inline constexpr std::string_view delayed_type_argument = "x-delayed-type";

struct VhostDefinition {
  std::string name;
  std::string description;
  std::vector<std::string> tags = {};   // for people
  std::string default_queue_type = {};  // of queues that are declared without one; empty: classic
  bool tracing = false;  // what comes and goes is copied to an exchange; not kept: until the next start
  bool operator==(const VhostDefinition&) const = default;
};

struct ExchangeDefinition {
  std::string vhost, name;  // "" is the default exchange
  ExchangeType type = ExchangeType::direct;
  bool durable = false, auto_delete = false, internal = false;
  Table arguments;
  bool operator==(const ExchangeDefinition&) const = default;
};

// Some exchanges have a queue of their own, which has the exchange's name and goes with it. No client sees it.
enum class QueueRole : std::uint8_t {
  plain,
  delays,   // of a delayed exchange: what it has not routed yet
  history,  // of a recent-history exchange: what it routed last
};

struct QueueDefinition {
  std::string vhost, name;
  QueueId id;     // given by the shard that decides
  ShardId shard;  // where it lives
  bool durable = false, auto_delete = false, exclusive = false;
  SessionId owner;  // of an exclusive queue: the connection
  Table arguments;
  QueueRole role = QueueRole::plain;
  bool operator==(const QueueDefinition&) const = default;
};

enum class DestinationKind : std::uint8_t { queue = 1, exchange = 2 };

struct BindingDefinition {
  std::string vhost, source;  // an exchange, never the default one
  DestinationKind kind = DestinationKind::queue;
  std::string destination;
  std::string routing_key;
  Table arguments;
  bool operator==(const BindingDefinition&) const = default;
};

struct UserDefinition {
  std::string name;
  std::string
      password_hash;  // self-describing: "$argon2id$…", or "rabbit_sha256:<base64>"; empty: no password login
  std::vector<std::string> tags;  // administrator, monitoring, …
  bool operator==(const UserDefinition&) const = default;
};

// Regular expressions; an empty one matches nothing but the empty name, as in RabbitMQ.
struct PermissionDefinition {
  std::string user, vhost;
  std::string configure, write, read;
  bool operator==(const PermissionDefinition&) const = default;
};

// What a user may publish to a topic exchange with, and bind to it with, over what the permission says. In the expressions
// {username}, {vhost} and {client_id} stand for the session's own.
struct TopicPermissionDefinition {
  std::string user, vhost;
  std::string exchange;
  std::string write, read;
  bool operator==(const TopicPermissionDefinition&) const = default;
};

// What a vhost, or a user, may use. Names: broker/tenant_limits.h. A negative value is no limit.
enum class LimitOf : std::uint8_t { vhost = 1, user = 2 };
struct LimitDefinition {
  LimitOf of = LimitOf::vhost;
  std::string subject;  // the vhost's or the user's name
  std::string name;
  std::int64_t value = 0;
  bool operator==(const LimitDefinition&) const = default;
};

// Bits: a policy applies to those kinds.
enum class PolicyTargets : std::uint8_t {
  classic_queues = 1,
  quorum_queues = 2,
  streams = 4,
  queues = 7,
  exchanges = 8,
  all = 15,
};

// What queues and exchanges get by their names, beside their arguments (broker/policy_keys.h).
struct PolicyDefinition {
  std::string vhost, name;
  bool of_operator = false;  // the two kinds have names of their own
  std::string pattern;
  PolicyTargets targets = PolicyTargets::all;
  std::int64_t priority = 0;
  Table definition;
  bool operator==(const PolicyDefinition&) const = default;
};

// A value that is kept for somebody, and that the broker does not look into.
struct ParameterDefinition {
  std::string component, vhost;  // both empty: a global parameter
  std::string name;
  Value value;
  bool operator==(const ParameterDefinition&) const = default;
};

// --- changes: what is logged (durable ones), sent to every shard, and applied, live and in replay alike ---

struct PutVhost {
  VhostDefinition vhost;
};
struct RemoveVhost {
  std::string name;
};  // with all that is in it, and its limits
struct PutExchange {
  ExchangeDefinition exchange;
};
struct RemoveExchange {
  std::string vhost, name;
};  // with its bindings, both ways
struct PutQueue {
  QueueDefinition queue;
};
struct RemoveQueue {
  std::string vhost, name;
  QueueId id;
};  // with its bindings
struct PutBinding {
  BindingDefinition binding;
};
struct RemoveBinding {
  BindingDefinition binding;
};
struct PutUser {
  UserDefinition user;
};
struct RemoveUser {
  std::string name;
};  // with its permissions and limits
struct PutPermission {
  PermissionDefinition permission;
};
struct RemovePermission {
  std::string user, vhost;
};
// Ids below `next`, in its lane (broker/topology.h), are given or reserved: the counters are part of the state, so that
// an id is never given twice.
struct SetNextQueueId {
  QueueId next;
};

struct PutTopicPermission {
  TopicPermissionDefinition permission;
};
struct RemoveTopicPermission {
  std::string user, vhost, exchange;
};
struct PutLimit {
  LimitDefinition limit;
};
struct RemoveLimit {
  LimitOf of = LimitOf::vhost;
  std::string subject, name;
};
struct PutPolicy {
  PolicyDefinition policy;
};
struct RemovePolicy {
  std::string vhost, name;
  bool of_operator = false;
};
struct PutParameter {
  ParameterDefinition parameter;
};
struct RemoveParameter {
  std::string component, vhost, name;
};

using Change = std::variant<PutVhost, RemoveVhost, PutExchange, RemoveExchange, PutQueue, RemoveQueue,
                            PutBinding, RemoveBinding, PutUser, RemoveUser, PutPermission, RemovePermission,
                            SetNextQueueId, PutTopicPermission, RemoveTopicPermission, PutLimit, RemoveLimit,
                            PutPolicy, RemovePolicy, PutParameter, RemoveParameter>;

void encode_change(const Change& change, std::vector<std::byte>& out);
// Several in a row. corrupt.
Result<std::vector<Change>> decode_changes(Bytes from);

}  // namespace weir::broker
