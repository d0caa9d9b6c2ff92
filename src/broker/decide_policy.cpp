// What it is: policies, limits of vhosts and users, and parameters.
#include <fmt/format.h>

#include "broker/decide_parts.h"
#include "broker/declare_arguments.h"
#include "broker/pattern.h"
#include "broker/policy_keys.h"
#include "broker/tenant_limits.h"

namespace weir::broker {

namespace {

constexpr std::size_t policies_max = 10'000;  // of a vhost: each declaration tries them

std::unexpected<Error> invalid(const std::string& why) {
  return fail(ErrorCode::invalid_argument, "Validation failed\n\n" + why + "\n");
}

Status check_name(std::string_view what, std::string_view name) {
  if (name.empty()) return fail(ErrorCode::invalid_argument, fmt::format("a {} may not be empty", what));
  return check_name_length(what, name);
}

Status check_subject(const Topology& topology, LimitOf of, const std::string& subject) {
  if (of == LimitOf::vhost && topology.find_vhost(subject) == nullptr) return no_such_vhost(subject);
  if (of == LimitOf::user && topology.find_user(subject) == nullptr) return no_such_user(subject);
  return {};
}

}  // namespace

// --- policies ---

Result<Decision> decide_put_policy(const Topology& topology, const PutPolicyRequest& request) {
  const PolicyDefinition& policy = request.policy;
  if (topology.find_vhost(policy.vhost) == nullptr) return no_such_vhost(policy.vhost);
  WEIR_TRY(check_name("policy name", policy.name));
  const Result<Pattern> pattern = Pattern::compile(policy.pattern);
  if (!pattern) {
    return invalid(
        fmt::format("pattern should be regular expression but is invalid: {}", pattern.error().message));
  }
  if (to_string(policy.targets).empty()) return invalid("apply-to is not one of the known values");
  WEIR_TRY(check_policy_definition(policy.definition, policy.of_operator));
  WEIR_TRY(check_storable(policy.definition));
  const PolicyDefinition* const known = topology.find_policy(policy.vhost, policy.name, policy.of_operator);
  if (known == nullptr && topology.policies(policy.vhost).size() >= policies_max) {
    return fail(ErrorCode::limit_exceeded, fmt::format("a vhost may have {} policies", policies_max));
  }
  Decision decision;
  if (known == nullptr || *known != policy) decision.changes.emplace_back(PutPolicy{policy});
  return decision;
}

Result<Decision> decide_delete_policy(const Topology& topology, const DeletePolicy& request) {
  if (topology.find_vhost(request.vhost) == nullptr) return no_such_vhost(request.vhost);
  if (topology.find_policy(request.vhost, request.name, request.of_operator) == nullptr) {
    return fail(ErrorCode::not_found,
                fmt::format("policy '{}' in vhost '{}' does not exist", request.name, request.vhost));
  }
  Decision decision;
  decision.changes.emplace_back(RemovePolicy{request.vhost, request.name, request.of_operator});
  return decision;
}

// --- limits ---

Result<Decision> decide_put_limit(const Topology& topology, const PutLimitRequest& request) {
  const LimitDefinition& limit = request.limit;
  WEIR_TRY(check_subject(topology, limit.of, limit.subject));
  if (find_limit_name(limit.of, limit.name) == nullptr) {
    return limit.of == LimitOf::vhost
               ? invalid(
                     fmt::format("Unrecognised terms [{{<<\"{}\">>,{}}}] in limits", limit.name, limit.value))
               : fail(ErrorCode::invalid_argument,
                      fmt::format("Unrecognised terms [{{<<\"{}\">>,{}}}] in user-limits", limit.name,
                                  limit.value));
  }
  const LimitDefinition* const known = topology.limits().find(limit.of, limit.subject, limit.name);
  Decision decision;
  if (known == nullptr || *known != limit) decision.changes.emplace_back(PutLimit{limit});
  return decision;
}

Result<Decision> decide_delete_limit(const Topology& topology, const DeleteLimit& request) {
  WEIR_TRY(check_subject(topology, request.of, request.subject));
  Decision decision;
  if (topology.limits().find(request.of, request.subject, request.name) != nullptr)
    decision.changes.emplace_back(RemoveLimit{request.of, request.subject, request.name});
  return decision;
}

// --- parameters ---

Result<Decision> decide_put_parameter(const Topology& topology, const PutParameterRequest& request) {
  const ParameterDefinition& parameter = request.parameter;
  const bool global = parameter.component.empty() && parameter.vhost.empty();
  if (!global) {
    WEIR_TRY(check_name("component name", parameter.component));
    if (topology.find_vhost(parameter.vhost) == nullptr) return no_such_vhost(parameter.vhost);
  }
  WEIR_TRY(check_name("parameter name", parameter.name));
  Table holder;
  holder.append("value", parameter.value);
  WEIR_TRY(check_storable(holder));
  const ParameterDefinition* const known =
      topology.find_parameter(parameter.component, parameter.vhost, parameter.name);
  Decision decision;
  if (known == nullptr || *known != parameter) decision.changes.emplace_back(PutParameter{parameter});
  return decision;
}

Result<Decision> decide_delete_parameter(const Topology& topology, const DeleteParameter& request) {
  if (topology.find_parameter(request.component, request.vhost, request.name) == nullptr) {
    return fail(ErrorCode::not_found, fmt::format("parameter '{}' does not exist", request.name));
  }
  Decision decision;
  decision.changes.emplace_back(RemoveParameter{request.component, request.vhost, request.name});
  return decision;
}

}  // namespace weir::broker
