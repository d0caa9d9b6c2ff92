// What it is: users and their permissions.
#include <fmt/format.h>

#include "broker/decide_parts.h"
#include "broker/pattern.h"

namespace weir::broker {

namespace {

constexpr std::size_t password_hash_bytes_max = 1'024;
constexpr std::size_t tags_max = 64;

Status check_pattern(std::string_view what, const std::string& text) {
  const Result<Pattern> pattern = Pattern::compile(text);
  if (pattern) return {};
  return fail(ErrorCode::invalid_argument,
              fmt::format("permission to {}: {}", what, pattern.error().message));
}

}  // namespace

std::unexpected<Error> no_such_user(std::string_view name) {
  return fail(ErrorCode::not_found, fmt::format("user '{}' does not exist", name));
}

Result<Decision> decide_put_user(const Topology& topology, const PutUserRequest& request) {
  const UserDefinition& user = request.user;
  if (user.name.empty()) return fail(ErrorCode::invalid_argument, "a user's name may not be empty");
  WEIR_TRY(check_name_length("user name", user.name));
  if (user.password_hash.size() > password_hash_bytes_max) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("a password hash may have {} bytes", password_hash_bytes_max));
  }
  if (user.tags.size() > tags_max) {
    return fail(ErrorCode::invalid_argument, fmt::format("a user may have {} tags", tags_max));
  }
  for (const std::string& tag : user.tags) WEIR_TRY(check_name_length("tag", tag));
  const UserDefinition* const known = topology.find_user(user.name);
  Decision decision;
  if (known == nullptr || *known != user) decision.changes.emplace_back(PutUser{user});
  return decision;
}

Result<Decision> decide_delete_user(const Topology& topology, const DeleteUser& request) {
  if (topology.find_user(request.name) == nullptr) return no_such_user(request.name);
  Decision decision;
  decision.changes.emplace_back(RemoveUser{request.name});
  return decision;
}

Result<Decision> decide_put_permission(const Topology& topology, const PutPermissionRequest& request) {
  const PermissionDefinition& permission = request.permission;
  if (topology.find_user(permission.user) == nullptr) return no_such_user(permission.user);
  if (topology.find_vhost(permission.vhost) == nullptr) return no_such_vhost(permission.vhost);
  WEIR_TRY(check_pattern("configure", permission.configure));
  WEIR_TRY(check_pattern("write", permission.write));
  WEIR_TRY(check_pattern("read", permission.read));
  const PermissionDefinition* const known = topology.find_permission(permission.user, permission.vhost);
  Decision decision;
  if (known == nullptr || *known != permission) decision.changes.emplace_back(PutPermission{permission});
  return decision;
}

Result<Decision> decide_delete_permission(const Topology& topology, const DeletePermission& request) {
  if (topology.find_user(request.user) == nullptr) return no_such_user(request.user);
  if (topology.find_vhost(request.vhost) == nullptr) return no_such_vhost(request.vhost);
  Decision decision;
  if (topology.find_permission(request.user, request.vhost) != nullptr) {
    decision.changes.emplace_back(RemovePermission{request.user, request.vhost});
  }
  return decision;
}

// The exchange need not be there yet.
Result<Decision> decide_put_topic_permission(const Topology& topology,
                                             const PutTopicPermissionRequest& request) {
  const TopicPermissionDefinition& permission = request.permission;
  if (topology.find_user(permission.user) == nullptr) return no_such_user(permission.user);
  if (topology.find_vhost(permission.vhost) == nullptr) return no_such_vhost(permission.vhost);
  WEIR_TRY(check_name_length("exchange name", permission.exchange));
  WEIR_TRY(check_pattern("write", permission.write));
  WEIR_TRY(check_pattern("read", permission.read));
  const TopicPermissionDefinition* const known =
      topology.find_topic_permission(permission.user, permission.vhost, permission.exchange);
  Decision decision;
  if (known == nullptr || *known != permission) decision.changes.emplace_back(PutTopicPermission{permission});
  return decision;
}

Result<Decision> decide_delete_topic_permission(const Topology& topology,
                                                const DeleteTopicPermission& request) {
  if (topology.find_user(request.user) == nullptr) return no_such_user(request.user);
  if (topology.find_vhost(request.vhost) == nullptr) return no_such_vhost(request.vhost);
  Decision decision;
  for (const TopicPermissionDefinition* known : topology.topic_permissions()) {
    const bool meant = known->user == request.user && known->vhost == request.vhost &&
                       (request.exchange.empty() || known->exchange == request.exchange);
    if (meant)
      decision.changes.emplace_back(RemoveTopicPermission{known->user, known->vhost, known->exchange});
  }
  return decision;
}

}  // namespace weir::broker
