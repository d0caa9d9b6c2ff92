// What users may do in virtual hosts.
#include <functional>
#include <utility>

#include "admin/body_entry.h"
#include "admin/call.h"
#include "admin/json_views.h"
#include "admin/listing.h"
#include "admin/resources.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

void list_some(Call& call, const std::function<bool(const broker::PermissionDefinition&)>& wanted) {
  std::vector<broker::PermissionDefinition> permissions;
  for (const broker::PermissionDefinition* one : call.topology().permissions()) {
    if (wanted(*one)) permissions.push_back(*one);
  }
  const std::size_t count = permissions.size();
  reply_list(call, count,
             [permissions = std::move(permissions)] {
               std::vector<json::object> items;
               for (const broker::PermissionDefinition& one : permissions)
                 items.push_back(permission_view(one));
               return items;
             },
             {"vhost", "user"});
}

void list_permissions(Call& call) {
  list_some(call, [](const auto&) { return true; });
}

void list_of_vhost(Call& call) {
  list_some(call, [&](const auto& one) { return one.vhost == call.capture("vhost"); });
}

void list_of_user(Call& call) {
  if (call.topology().find_user(call.capture("name")) == nullptr) return call.not_found();
  list_some(call, [&](const auto& one) { return one.user == call.capture("name"); });
}

void show_permission(Call& call) {
  const auto* const permission = call.topology().find_permission(call.capture("user"), call.capture("vhost"));
  if (permission == nullptr) return call.not_found();
  reply_item(call, permission_view(*permission));
}

void put_permission(Call& call) {
  auto reading = read_body(call, "permission", read_permission,
                           {{"user", call.capture("user")}, {"vhost", call.capture("vhost")}},
                           {"configure", "write", "read"});
  if (!reading) return;
  if (call.topology().find_user(call.capture("user")) == nullptr)
    return call.bad_request("vhost_or_user_not_found");
  const bool was_there =
      call.topology().find_permission(call.capture("user"), call.capture("vhost")) != nullptr;
  call.decide(std::move(reading->file.requests.front()),
              [call = call.keep(), was_there] { call->put_done(was_there); });
}

void delete_permission(Call& call) {
  if (call.topology().find_permission(call.capture("user"), call.capture("vhost")) == nullptr)
    return call.not_found();
  call.decide(broker::DeletePermission{call.capture("user"), call.capture("vhost")},
              [call = call.keep()] { call->no_content(); });
}

constexpr Route routes[] = {
    {"GET", "/api/permissions", Needs::administrator, list_permissions, "All permissions", Gives::list},
    {"GET", "/api/permissions/:vhost/:user", Needs::administrator, show_permission,
     "What a user may do in a virtual host", Gives::item},
    {"PUT",
     "/api/permissions/:vhost/:user",
     Needs::administrator,
     put_permission,
     "Says what a user may do in a virtual host",
     {Gives::made, "configure*:string write*:string read*:string"}},
    {"DELETE", "/api/permissions/:vhost/:user", Needs::administrator, delete_permission,
     "Takes a virtual host away from a user", Gives::done},
    {"GET", "/api/vhosts/:vhost/permissions", Needs::administrator, list_of_vhost,
     "Permissions in a virtual host", Gives::list},
    {"GET", "/api/users/:name/permissions", Needs::administrator, list_of_user, "Permissions of a user",
     Gives::list},
};

}  // namespace

std::span<const Route> permission_routes() { return routes; }

}  // namespace weir::admin
