// What it is: the definitions of a node as plain values: vhosts, exchanges, queues, bindings, users, permissions; the
// changes that are logged and sent to every shard; and their encoding (docs/formats/definitions.md).
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

// --- changes: what is logged (durable ones), sent to every shard, and applied, live and in replay alike ---

struct PutVhost {
  VhostDefinition vhost;
};
struct RemoveVhost {
  std::string name;
};  // with all that is in it
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
};  // with its permissions
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

using Change =
    std::variant<PutVhost, RemoveVhost, PutExchange, RemoveExchange, PutQueue, RemoveQueue, PutBinding,
                 RemoveBinding, PutUser, RemoveUser, PutPermission, RemovePermission, SetNextQueueId>;

void encode_change(const Change& change, std::vector<std::byte>& out);
// Several in a row. corrupt.
Result<std::vector<Change>> decode_changes(Bytes from);

}  // namespace weir::broker
