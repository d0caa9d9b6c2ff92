// What virtual hosts and users may use.
#include <map>
#include <utility>

#include "admin/call.h"
#include "admin/json_entry.h"
#include "admin/json_views.h"
#include "admin/listing.h"
#include "admin/resources.h"
#include "broker/tenant_limits.h"

namespace weir::admin {
namespace {

namespace json = boost::json;
using broker::LimitOf;

std::string_view subject_key(LimitOf of) { return of == LimitOf::vhost ? "vhost" : "user"; }

// RabbitMQ's and Weir's own, for whom there are some.
void list(Call& call, LimitOf of) {
  const std::string_view key = subject_key(of);
  if (of == LimitOf::user && call.captures(key) && call.topology().find_user(call.capture(key)) == nullptr)
    return call.not_found();
  std::map<std::string, json::object> limits;
  for (const broker::LimitDefinition* limit : call.topology().limits().all()) {
    const bool meant = limit->of == of && (!call.captures(key) || call.capture(key) == limit->subject);
    if (meant) limits[limit->subject][limit->name] = limit->value;
  }
  std::vector<json::object> items;
  for (auto& [subject, value] : limits) {
    json::object item;
    item[key] = subject;
    item["value"] = std::move(value);
    items.push_back(std::move(item));
  }
  const std::size_t count = items.size();
  reply_list(call, count, [items = std::move(items)] { return items; }, {std::string(key)});
}

void put(Call& call, LimitOf of) {
  const json::object* const body = call.json();
  if (body == nullptr || call.lacks({"value"})) return;
  const json::value described(*body);
  JsonEntry entry(described, "limit", "");
  const std::int64_t value = entry.integer_or("value", 0);
  if (call.refuse_bad(entry.status())) return;
  const std::string& subject = call.capture(subject_key(of));
  if (of == LimitOf::user && call.topology().find_user(subject) == nullptr) return call.not_found();
  call.decide(broker::PutLimitRequest{{of, subject, call.capture("name"), value}},
              [call = call.keep()] { call->no_content(); });
}

void take_away(Call& call, LimitOf of) {
  const std::string& subject = call.capture(subject_key(of));
  if (of == LimitOf::user && call.topology().find_user(subject) == nullptr) return call.not_found();
  call.decide(broker::DeleteLimit{of, subject, call.capture("name")},
              [call = call.keep()] { call->no_content(); });
}

void list_of_vhosts(Call& call) { list(call, LimitOf::vhost); }
void put_of_vhost(Call& call) { put(call, LimitOf::vhost); }
void delete_of_vhost(Call& call) { take_away(call, LimitOf::vhost); }
void list_of_users(Call& call) { list(call, LimitOf::user); }
void put_of_user(Call& call) { put(call, LimitOf::user); }
void delete_of_user(Call& call) { take_away(call, LimitOf::user); }

constexpr Route routes[] = {
    {"GET", "/api/vhost-limits", Needs::administrator, list_of_vhosts, "Limits of virtual hosts",
     Gives::list},
    {"GET", "/api/vhost-limits/:vhost", Needs::administrator, list_of_vhosts, "Limits of a virtual host",
     Gives::list},
    {"PUT",
     "/api/vhost-limits/:vhost/:name",
     Needs::administrator,
     put_of_vhost,
     "Sets a limit of a virtual host",
     {Gives::done, "value*:integer"}},
    {"DELETE", "/api/vhost-limits/:vhost/:name", Needs::administrator, delete_of_vhost,
     "Removes a limit of a virtual host", Gives::done},
    {"GET", "/api/user-limits", Needs::administrator, list_of_users, "Limits of users", Gives::list},
    {"GET", "/api/user-limits/:user", Needs::administrator, list_of_users, "Limits of a user", Gives::list},
    {"PUT",
     "/api/user-limits/:user/:name",
     Needs::administrator,
     put_of_user,
     "Sets a limit of a user",
     {Gives::done, "value*:integer"}},
    {"DELETE", "/api/user-limits/:user/:name", Needs::administrator, delete_of_user,
     "Removes a limit of a user", Gives::done},
};

}  // namespace

std::span<const Route> limit_routes() { return routes; }

}  // namespace weir::admin
