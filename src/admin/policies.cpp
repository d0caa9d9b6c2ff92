// Policies, of users and of operators.
#include <utility>

#include "admin/body_entry.h"
#include "admin/call.h"
#include "admin/json_views.h"
#include "admin/listing.h"
#include "admin/resources.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

void list(Call& call, bool of_operator) {
  std::vector<broker::PolicyDefinition> policies;
  for (const broker::VhostDefinition* vhost : call.vhosts()) {
    for (const broker::PolicyDefinition* policy : call.topology().policies(vhost->name)) {
      if (policy->of_operator == of_operator) policies.push_back(*policy);
    }
  }
  const std::size_t count = policies.size();
  reply_list(call, count, [policies = std::move(policies)] {
    std::vector<json::object> items;
    for (const broker::PolicyDefinition& policy : policies) items.push_back(policy_view(policy));
    return items;
  });
}

void show(Call& call, bool of_operator) {
  const auto* const policy =
      call.topology().find_policy(call.capture("vhost"), call.capture("name"), of_operator);
  if (policy == nullptr) return call.not_found();
  reply_item(call, policy_view(*policy));
}

void put(Call& call, bool of_operator) {
  auto reading = read_body(call, "policy", read_policy,
                           {{"name", call.capture("name")}, {"vhost", call.capture("vhost")}},
                           {"pattern", "definition"});
  if (!reading) return;
  broker::PolicyDefinition policy = std::move(only<broker::PutPolicyRequest>(*reading).policy);
  policy.of_operator = of_operator;
  const bool was_there = call.topology().find_policy(policy.vhost, policy.name, of_operator) != nullptr;
  call.decide(broker::PutPolicyRequest{std::move(policy)},
              [call = call.keep(), was_there] { call->put_done(was_there); });
}

void take_away(Call& call, bool of_operator) {
  if (call.topology().find_policy(call.capture("vhost"), call.capture("name"), of_operator) == nullptr)
    return call.not_found();
  call.decide(broker::DeletePolicy{call.capture("vhost"), call.capture("name"), of_operator},
              [call = call.keep()] { call->no_content(); });
}

void list_policies(Call& call) { list(call, false); }
void show_policy(Call& call) { show(call, false); }
void put_policy(Call& call) { put(call, false); }
void delete_policy(Call& call) { take_away(call, false); }
void list_operator_policies(Call& call) { list(call, true); }
void show_operator_policy(Call& call) { show(call, true); }
void put_operator_policy(Call& call) { put(call, true); }
void delete_operator_policy(Call& call) { take_away(call, true); }

constexpr Route routes[] = {
    {"GET", "/api/policies", Needs::a_user, list_policies, "All policies", Gives::list},
    {"GET", "/api/policies/:vhost", Needs::a_user, list_policies, "Policies of a virtual host", Gives::list},
    {"GET", "/api/policies/:vhost/:name", Needs::a_user, show_policy, "One policy", Gives::item},
    {"PUT",
     "/api/policies/:vhost/:name",
     Needs::policymaker,
     put_policy,
     "Sets a policy",
     {Gives::made, "pattern*:string definition*:object apply-to:string priority:integer"}},
    {"DELETE", "/api/policies/:vhost/:name", Needs::policymaker, delete_policy, "Deletes a policy",
     Gives::done},
    {"GET", "/api/operator-policies", Needs::a_user, list_operator_policies, "All operator policies",
     Gives::list},
    {"GET", "/api/operator-policies/:vhost", Needs::a_user, list_operator_policies,
     "Operator policies of a virtual host", Gives::list},
    {"GET", "/api/operator-policies/:vhost/:name", Needs::a_user, show_operator_policy, "One operator policy",
     Gives::item},
    {"PUT",
     "/api/operator-policies/:vhost/:name",
     Needs::administrator,
     put_operator_policy,
     "Sets an operator policy",
     {Gives::made, "pattern*:string definition*:object apply-to:string priority:integer"}},
    {"DELETE", "/api/operator-policies/:vhost/:name", Needs::administrator, delete_operator_policy,
     "Deletes an operator policy", Gives::done},
};

}  // namespace

std::span<const Route> policy_routes() { return routes; }

}  // namespace weir::admin
