// What it is: the rules of declaring, binding and deleting, as pure decisions: a request and the topology give the changes
// to make, or the error with the words that RabbitMQ's clients match on. Run on the shard that owns the definitions.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "broker/definitions.h"
#include "broker/topology.h"

namespace weir::broker {

// On whose behalf. The broker itself and its administration may do everything: their `session` is 0, or `user` empty.
struct Actor {
  std::string user;
  SessionId session;
};

struct DeclareExchange {
  std::string vhost, name, type;  // the type as the client wrote it; unknown: invalid_argument
  bool passive = false, durable = false, auto_delete = false, internal = false;
  Table arguments;
};
struct DeleteExchange {
  std::string vhost, name;
  bool if_unused = false;
};
struct DeclareQueue {
  std::string vhost, name;  // empty: the broker gives "amq.gen-…" (from `random`)
  bool passive = false, durable = false, exclusive = false, auto_delete = false;
  Table arguments;
};
// if_unused and if_empty were checked on the queue's own shard before.
struct DeleteQueue {
  std::string vhost, name;
};
struct Bind {
  BindingDefinition binding;
};
struct Unbind {
  BindingDefinition binding;
};
struct PutUserRequest {
  UserDefinition user;
};
struct DeleteUser {
  std::string name;
};
struct PutPermissionRequest {
  PermissionDefinition permission;
};
struct DeletePermission {
  std::string user, vhost;
};
struct PutVhostRequest {
  VhostDefinition vhost;
  bool says_tracing = false;  // else that stays as it is
};
struct DeleteVhost {
  std::string name;
};
// A connection ended: its exclusive queues go.
struct EndSession {
  SessionId session;
};
// The last consumer of an auto-delete queue went, or the queue was not used for as long as it may be (its shard says so).
struct AutoDeleteQueue {
  QueueId queue;
  bool unused = false;
};

struct PutTopicPermissionRequest {
  TopicPermissionDefinition permission;
};
// Of one exchange; an empty name: of all.
struct DeleteTopicPermission {
  std::string user, vhost, exchange;
};
struct PutLimitRequest {
  LimitDefinition limit;
};
struct DeleteLimit {
  LimitOf of = LimitOf::vhost;
  std::string subject, name;
};
struct PutPolicyRequest {
  PolicyDefinition policy;
};
struct DeletePolicy {
  std::string vhost, name;
  bool of_operator = false;
};
struct PutParameterRequest {
  ParameterDefinition parameter;
};
struct DeleteParameter {
  std::string component, vhost, name;
};

using Request =
    std::variant<DeclareExchange, DeleteExchange, DeclareQueue, DeleteQueue, Bind, Unbind, PutUserRequest,
                 DeleteUser, PutPermissionRequest, PutVhostRequest, DeleteVhost, EndSession, AutoDeleteQueue,
                 DeletePermission, PutTopicPermissionRequest, DeleteTopicPermission, PutLimitRequest,
                 DeleteLimit, PutPolicyRequest, DeletePolicy, PutParameterRequest, DeleteParameter>;

struct Decision {
  std::vector<Change> changes;  // in order; empty: nothing to do, the request is fulfilled
  bool durable = false;         // some change must be logged before the answer goes out
  bool changed = false;         // said with the answer, which goes without the changes
  // For queues: which one (declared or found).
  std::string queue_name;
  QueueId queue;
  ShardId queue_shard;
};

struct Placement {
  std::uint16_t shards = 1;
  std::uint64_t random = 0;  // for generated names
};

// What a change touches: names that two requests in flight may not share. ("q\0vhost\0name", "x\0…", "u\0…", "v\0…", and
// "i\0…", the lane that a new queue's id comes from; "n\0…", the number of a vhost's queues where it is limited; a request
// on a whole vhost or session, or that has no name, touches "*". Bindings only need their ends to be there: they touch these
// as "s" and the name, which many may do at a time, and themselves as "b\0…".)
inline constexpr char shared_touch = 's';
void touched_names(const Topology& topology, const Request& request, std::vector<std::string>& out);

// Which changes are to be logged: durable definitions, and bindings between durable ones.
bool is_durable(const Change& change, const Topology& topology);

Result<Decision> decide(const Topology& topology, const Actor& actor, const Request& request,
                        Placement placement);

// The shard where a queue lives: by its vhost's and its name's hash.
ShardId place_queue(std::string_view vhost, std::string_view name, std::uint16_t shards);

// A new vhost, without description, and what it holds: default exchange, amq.direct, amq.fanout, amq.topic, amq.headers,
// amq.match, amq.rabbitmq.trace.
void new_vhost_changes(const std::string& name, std::vector<Change>& out);

}  // namespace weir::broker
