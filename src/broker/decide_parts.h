// What it is: the decisions on each kind of request, and what they share. Internal to decide().
#pragma once

#include <string>
#include <string_view>

#include "broker/decide.h"
#include "broker/texts.h"

namespace weir::broker {

Result<Decision> decide_declare_exchange(const Topology& topology, const Actor& actor,
                                         const DeclareExchange& request, Placement placement);
Result<Decision> decide_delete_exchange(const Topology& topology, const Actor& actor,
                                        const DeleteExchange& request);
Result<Decision> decide_declare_queue(const Topology& topology, const Actor& actor,
                                      const DeclareQueue& request, Placement placement);
Result<Decision> decide_delete_queue(const Topology& topology, const Actor& actor,
                                     const DeleteQueue& request);
Result<Decision> decide_auto_delete_queue(const Topology& topology, const AutoDeleteQueue& request);
Result<Decision> decide_end_session(const Topology& topology, const EndSession& request);
Result<Decision> decide_bind(const Topology& topology, const Actor& actor, const Bind& request);
Result<Decision> decide_unbind(const Topology& topology, const Actor& actor, const Unbind& request);
Result<Decision> decide_put_user(const Topology& topology, const PutUserRequest& request);
Result<Decision> decide_delete_user(const Topology& topology, const DeleteUser& request);
Result<Decision> decide_put_permission(const Topology& topology, const PutPermissionRequest& request);
Result<Decision> decide_delete_permission(const Topology& topology, const DeletePermission& request);
Result<Decision> decide_put_topic_permission(const Topology& topology,
                                             const PutTopicPermissionRequest& request);
Result<Decision> decide_delete_topic_permission(const Topology& topology,
                                                const DeleteTopicPermission& request);
Result<Decision> decide_put_limit(const Topology& topology, const PutLimitRequest& request);
Result<Decision> decide_delete_limit(const Topology& topology, const DeleteLimit& request);
Result<Decision> decide_put_policy(const Topology& topology, const PutPolicyRequest& request);
Result<Decision> decide_delete_policy(const Topology& topology, const DeletePolicy& request);
Result<Decision> decide_put_parameter(const Topology& topology, const PutParameterRequest& request);
Result<Decision> decide_delete_parameter(const Topology& topology, const DeleteParameter& request);
Result<Decision> decide_put_vhost(const Topology& topology, const PutVhostRequest& request);
Result<Decision> decide_delete_vhost(const Topology& topology, const DeleteVhost& request);

// The broker itself, and whoever administers it: they may use reserved names and the queues of others.
inline bool is_broker(const Actor& actor) { return actor.session.value == 0 || actor.user.empty(); }

inline bool is_reserved(std::string_view name) { return name.starts_with("amq."); }

std::unexpected<Error> no_such_user(std::string_view name);

// invalid_argument: longer than limits::name_bytes_max. `what` is "queue name", say.
Status check_name_length(std::string_view what, std::string_view name);

// resource_locked: the queue is exclusive to another connection.
Status check_exclusive_access(const QueueDefinition& queue, const Actor& actor);
std::unexpected<Error> locked(const QueueDefinition& queue);

// The lane that the id of a new queue comes from.
std::uint32_t queue_id_lane(std::string_view vhost, std::string_view name, bool will_last);
std::uint32_t queue_id_lane(const DeclareQueue& request);
// An id of the lane, and the change of the counters that goes with it. limit_exceeded: there are none left.
Result<QueueId> take_queue_id(const Topology& topology, std::uint32_t lane, std::vector<Change>& changes);

}  // namespace weir::broker
