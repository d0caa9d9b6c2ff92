#include "admin/describe_request.h"

#include <fmt/format.h>

#include <string_view>
#include <variant>

namespace weir::admin {
namespace {

std::string_view kind_word(broker::DestinationKind kind) {
  return kind == broker::DestinationKind::queue ? "queue" : "exchange";
}

struct Describe {
  std::string operator()(const broker::DeclareExchange& r) const {
    return in_vhost("exchange", r.name, r.vhost);
  }
  std::string operator()(const broker::DeleteExchange& r) const {
    return in_vhost("exchange", r.name, r.vhost);
  }
  std::string operator()(const broker::DeclareQueue& r) const { return in_vhost("queue", r.name, r.vhost); }
  std::string operator()(const broker::DeleteQueue& r) const { return in_vhost("queue", r.name, r.vhost); }
  std::string operator()(const broker::Bind& r) const { return binding(r.binding); }
  std::string operator()(const broker::Unbind& r) const { return binding(r.binding); }
  std::string operator()(const broker::PutUserRequest& r) const {
    return fmt::format("user '{}'", r.user.name);
  }
  std::string operator()(const broker::DeleteUser& r) const { return fmt::format("user '{}'", r.name); }
  std::string operator()(const broker::PutPermissionRequest& r) const {
    return in_vhost("permission of user", r.permission.user, r.permission.vhost);
  }
  std::string operator()(const broker::DeletePermission& r) const {
    return in_vhost("permission of user", r.user, r.vhost);
  }
  std::string operator()(const broker::PutVhostRequest& r) const {
    return fmt::format("vhost '{}'", r.vhost.name);
  }
  std::string operator()(const broker::DeleteVhost& r) const { return fmt::format("vhost '{}'", r.name); }
  std::string operator()(const broker::EndSession& r) const {
    return fmt::format("session {}", r.session.value);
  }
  std::string operator()(const broker::AutoDeleteQueue& r) const {
    return fmt::format("queue {}", r.queue.value);
  }

  std::string operator()(const broker::PutTopicPermissionRequest& r) const {
    return in_vhost("topic permission of user", r.permission.user, r.permission.vhost);
  }
  std::string operator()(const broker::DeleteTopicPermission& r) const {
    return in_vhost("topic permission of user", r.user, r.vhost);
  }
  std::string operator()(const broker::PutLimitRequest& r) const {
    return limit(r.limit.of, r.limit.subject, r.limit.name);
  }
  std::string operator()(const broker::DeleteLimit& r) const { return limit(r.of, r.subject, r.name); }
  std::string operator()(const broker::PutPolicyRequest& r) const {
    return in_vhost(r.policy.of_operator ? "operator policy" : "policy", r.policy.name, r.policy.vhost);
  }
  std::string operator()(const broker::DeletePolicy& r) const {
    return in_vhost(r.of_operator ? "operator policy" : "policy", r.name, r.vhost);
  }
  std::string operator()(const broker::PutParameterRequest& r) const {
    return parameter(r.parameter.component, r.parameter.name, r.parameter.vhost);
  }
  std::string operator()(const broker::DeleteParameter& r) const {
    return parameter(r.component, r.name, r.vhost);
  }

  static std::string limit(broker::LimitOf of, std::string_view subject, std::string_view name) {
    return fmt::format("limit '{}' of {} '{}'", name, of == broker::LimitOf::vhost ? "vhost" : "user",
                       subject);
  }
  static std::string parameter(std::string_view component, std::string_view name, std::string_view vhost) {
    if (component.empty()) return fmt::format("global parameter '{}'", name);
    return fmt::format("parameter '{}' of {} in vhost '{}'", name, component, vhost);
  }
  static std::string in_vhost(std::string_view what, std::string_view name, std::string_view vhost) {
    return fmt::format("{} '{}' in vhost '{}'", what, name, vhost);
  }
  static std::string binding(const broker::BindingDefinition& b) {
    return fmt::format("binding from exchange '{}' to {} '{}' in vhost '{}'", b.source, kind_word(b.kind),
                       b.destination, b.vhost);
  }
};

}  // namespace

std::string describe(const broker::Request& request) { return std::visit(Describe{}, request); }

}  // namespace weir::admin
