// Users: listed, made, given passwords and tags, and deleted.
#include <memory>
#include <set>
#include <utility>

#include "admin/body_entry.h"
#include "admin/call.h"
#include "admin/json_views.h"
#include "admin/listing.h"
#include "admin/resources.h"
#include "node/password.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

using broker::LimitOf;
using Users = std::vector<std::pair<broker::UserDefinition, json::object>>;  // with their limits

void list_these(Call& call, Users users) {
  const std::size_t count = users.size();
  reply_list(call, count,
             [users = std::move(users)] {
               std::vector<json::object> items;
               for (const auto& [user, limits] : users) items.push_back(user_view(user, limits));
               return items;
             },
             {"name"});
}

json::object limits_of(const Call& call, const broker::UserDefinition& user) {
  return limits_view(call.topology(), LimitOf::user, user.name, true);
}

void list_users(Call& call) {
  Users users;
  for (const broker::UserDefinition* user : call.topology().users())
    users.emplace_back(*user, limits_of(call, *user));
  list_these(call, std::move(users));
}

void list_users_without_permissions(Call& call) {
  std::set<std::string_view> permitted;
  for (const broker::PermissionDefinition* one : call.topology().permissions()) permitted.insert(one->user);
  Users users;
  for (const broker::UserDefinition* user : call.topology().users()) {
    if (!permitted.contains(user->name)) users.emplace_back(*user, limits_of(call, *user));
  }
  list_these(call, std::move(users));
}

void show_user(Call& call) {
  const broker::UserDefinition* const user = call.topology().find_user(call.capture("name"));
  if (user == nullptr) return call.not_found();
  reply_item(call, user_view(*user, limits_of(call, *user)));
}

void put(Call& call, broker::UserDefinition user) {
  const bool was_there = call.topology().find_user(user.name) != nullptr;
  call.decide(broker::PutUserRequest{std::move(user)},
              [call = call.keep(), was_there] { call->put_done(was_there); });
}

// The hash is slow on purpose: made elsewhere.
void put_with_password(Call& call, broker::UserDefinition user, std::string password) {
  struct Work {
    std::string password;
    Result<std::string> hash = std::string();
  };
  const auto work = std::make_shared<Work>(Work{std::move(password)});
  call.offload([work] { work->hash = node::hash_password(work->password); },
               [call = call.keep(), work, user = std::move(user)]() mutable {
                 if (!work->hash) return call->refuse(work->hash.error());
                 user.password_hash = std::move(*work->hash);
                 put(*call, std::move(user));
               });
}

// A body without a password is of a user who can't log in with one.
void put_user(Call& call) {
  auto reading = read_body(call, "user", read_user, {{"name", call.capture("name")}});
  if (!reading) return;
  if (!call.says("tags")) return call.bad_request("tags_not_present");
  broker::UserDefinition user = only<broker::PutUserRequest>(*reading).user;
  if (reading->file.plain_passwords.empty()) return put(call, std::move(user));
  put_with_password(call, std::move(user), std::move(reading->file.plain_passwords.front().password));
}

void delete_user(Call& call) {
  if (call.topology().find_user(call.capture("name")) == nullptr) return call.not_found();
  call.decide(broker::DeleteUser{call.capture("name")}, [call = call.keep()] { call->no_content(); });
}

void delete_users(Call& call) {
  const json::object* const body = call.json();
  if (body == nullptr) return;
  const json::value* const names = body->if_contains("users");
  if (names == nullptr || !names->is_array()) return call.bad_request("\"users\" must be a list of names");
  std::vector<broker::Request> requests;
  for (const json::value& name : names->get_array()) {
    if (!name.is_string()) return call.bad_request("\"users\" must be a list of names");
    broker::DeleteUser request{std::string(name.get_string())};
    // One that is gone already is what was asked for.
    if (call.topology().find_user(request.name) != nullptr) requests.emplace_back(std::move(request));
  }
  call.decide_all(std::move(requests), [call = call.keep()] { call->no_content(); });
}

constexpr Route routes[] = {
    {"GET", "/api/users", Needs::administrator, list_users, "All users", Gives::list},
    {"GET", "/api/users/without-permissions", Needs::administrator, list_users_without_permissions,
     "Users that may use no virtual host", Gives::list},
    {"POST",
     "/api/users/bulk-delete",
     Needs::administrator,
     delete_users,
     "Deletes the users of a list",
     {Gives::done, "users*:strings"}},
    {"GET", "/api/users/:name", Needs::administrator, show_user, "One user", Gives::item},
    {"PUT",
     "/api/users/:name",
     Needs::administrator,
     put_user,
     "Makes a user, or changes it",
     {Gives::made,
      "tags*:words password:string password_hash:string hashing_algorithm:string limits:object"}},
    {"DELETE", "/api/users/:name", Needs::administrator, delete_user, "Deletes a user", Gives::done},
};

}  // namespace

std::span<const Route> user_routes() { return routes; }

}  // namespace weir::admin
