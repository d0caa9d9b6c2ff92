// With which routing keys users may publish to topic exchanges, and bind to them.
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
using Definition = broker::TopicPermissionDefinition;

void list_some(Call& call, const std::function<bool(const Definition&)>& wanted) {
  std::vector<Definition> permissions;
  for (const Definition* one : call.topology().topic_permissions()) {
    if (wanted(*one)) permissions.push_back(*one);
  }
  const std::size_t count = permissions.size();
  reply_list(call, count,
             [permissions = std::move(permissions)] {
               std::vector<json::object> items;
               for (const Definition& one : permissions) items.push_back(topic_permission_view(one));
               return items;
             },
             {"vhost", "user", "exchange"});
}

void list_all(Call& call) {
  list_some(call, [](const auto&) { return true; });
}

void list_of_vhost(Call& call) {
  list_some(call, [&](const auto& one) { return one.vhost == call.capture("vhost"); });
}

void list_of_user(Call& call) {
  if (call.topology().find_user(call.capture("name")) == nullptr) return call.not_found();
  list_some(call, [&](const auto& one) { return one.user == call.capture("name"); });
}

bool is_of(const Call& call, const Definition& one) {
  return one.vhost == call.capture("vhost") && one.user == call.capture("user");
}

bool any_of_both(const Call& call, const broker::Topology& topology) {
  for (const Definition* one : topology.topic_permissions()) {
    if (is_of(call, *one)) return true;
  }
  return false;
}

void show(Call& call) {
  if (!any_of_both(call, call.topology())) return call.not_found();
  list_some(call, [&](const auto& one) { return is_of(call, one); });
}

void put(Call& call) {
  auto reading = read_body(call, "topic permission", read_topic_permission,
                           {{"user", call.capture("user")}, {"vhost", call.capture("vhost")}},
                           {"exchange", "write", "read"});
  if (!reading) return;
  if (call.topology().find_user(call.capture("user")) == nullptr)
    return call.bad_request("vhost_or_user_not_found");
  const bool was_there = any_of_both(call, call.topology());
  call.decide(std::move(reading->file.requests.front()),
              [call = call.keep(), was_there] { call->put_done(was_there); });
}

void take_away(Call& call, std::string exchange) {
  if (!any_of_both(call, call.topology())) return call.not_found();
  call.decide(broker::DeleteTopicPermission{call.capture("user"), call.capture("vhost"), std::move(exchange)},
              [call = call.keep()] { call->no_content(); });
}

void delete_all(Call& call) { take_away(call, {}); }
void delete_one(Call& call) { take_away(call, call.capture("exchange")); }

constexpr Route routes[] = {
    {"GET", "/api/topic-permissions", Needs::administrator, list_all, "All topic permissions", Gives::list},
    {"GET", "/api/topic-permissions/:vhost/:user", Needs::administrator, show,
     "A user's topic permissions in a virtual host", Gives::list},
    {"PUT",
     "/api/topic-permissions/:vhost/:user",
     Needs::administrator,
     put,
     "Says with which routing keys a user may use an exchange",
     {Gives::made, "exchange*:string write*:string read*:string"}},
    {"DELETE", "/api/topic-permissions/:vhost/:user", Needs::administrator, delete_all,
     "Takes a user's topic permissions in a virtual host away", Gives::done},
    {"DELETE", "/api/topic-permissions/:vhost/:user/:exchange", Needs::administrator, delete_one,
     "Takes a user's topic permission for an exchange away", Gives::done},
    {"GET", "/api/vhosts/:vhost/topic-permissions", Needs::administrator, list_of_vhost,
     "Topic permissions in a virtual host", Gives::list},
    {"GET", "/api/users/:name/topic-permissions", Needs::administrator, list_of_user,
     "Topic permissions of a user", Gives::list},
};

}  // namespace

std::span<const Route> topic_permission_routes() { return routes; }

}  // namespace weir::admin
