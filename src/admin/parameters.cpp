// Parameters: what is kept for somebody, of a virtual host or of the server.
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
using broker::ParameterDefinition;

void list(Call& call, const std::function<bool(const ParameterDefinition&)>& wanted) {
  std::vector<ParameterDefinition> parameters;
  for (const ParameterDefinition* one : call.topology().parameters()) {
    if (wanted(*one)) parameters.push_back(*one);
  }
  const std::size_t count = parameters.size();
  reply_list(call, count, [parameters = std::move(parameters)] {
    std::vector<json::object> items;
    for (const ParameterDefinition& one : parameters) items.push_back(parameter_view(one));
    return items;
  });
}

// Of all components and virtual hosts, or of those that the path names.
void list_parameters(Call& call) {
  list(call, [&](const ParameterDefinition& one) {
    if (one.component.empty() || !call.sees(one.vhost)) return false;
    if (call.captures("component") && one.component != call.capture("component")) return false;
    return !call.captures("vhost") || one.vhost == call.capture("vhost");
  });
}

void list_global_parameters(Call& call) {
  list(call, [](const ParameterDefinition& one) { return one.component.empty(); });
}

struct Place {
  std::string component, vhost, name;  // of a global parameter only the name
};

Place place_of(const Call& call) {
  if (!call.captures("component")) return {{}, {}, call.capture("name")};
  return {call.capture("component"), call.capture("vhost"), call.capture("name")};
}

const ParameterDefinition* find(const Call& call, const Place& place) {
  return call.topology().find_parameter(place.component, place.vhost, place.name);
}

void show(Call& call) {
  const ParameterDefinition* const parameter = find(call, place_of(call));
  if (parameter == nullptr) return call.not_found();
  reply_item(call, parameter_view(*parameter));
}

void put(Call& call) {
  const Place place = place_of(call);
  const bool global = place.component.empty();
  auto reading =
      read_body(call, "parameter", global ? read_global_parameter : read_parameter,
                {{"component", place.component}, {"vhost", place.vhost}, {"name", place.name}}, {"value"});
  if (!reading) return;
  const bool was_there = find(call, place) != nullptr;
  call.decide_all(std::move(reading->file.requests),
                  [call = call.keep(), was_there] { call->put_done(was_there); });
}

void take_away(Call& call) {
  Place place = place_of(call);
  if (find(call, place) == nullptr) return call.not_found();
  call.decide(
      broker::DeleteParameter{std::move(place.component), std::move(place.vhost), std::move(place.name)},
      [call = call.keep()] { call->no_content(); });
}

constexpr Route routes[] = {
    {"GET", "/api/parameters", Needs::policymaker, list_parameters, "All parameters of virtual hosts",
     Gives::list},
    {"GET", "/api/parameters/:component", Needs::policymaker, list_parameters, "Parameters of a component",
     Gives::list},
    {"GET", "/api/parameters/:component/:vhost", Needs::policymaker, list_parameters,
     "Parameters of a component in a virtual host", Gives::list},
    {"GET", "/api/parameters/:component/:vhost/:name", Needs::policymaker, show, "One parameter",
     Gives::item},
    {"PUT",
     "/api/parameters/:component/:vhost/:name",
     Needs::policymaker,
     put,
     "Sets a parameter",
     {Gives::made, "value*:any"}},
    {"DELETE", "/api/parameters/:component/:vhost/:name", Needs::policymaker, take_away,
     "Deletes a parameter", Gives::done},
    {"GET", "/api/global-parameters", Needs::policymaker, list_global_parameters,
     "All parameters of the server", Gives::list},
    {"GET", "/api/global-parameters/:name", Needs::policymaker, show, "One parameter of the server",
     Gives::item},
    {"PUT",
     "/api/global-parameters/:name",
     Needs::policymaker,
     put,
     "Sets a parameter of the server",
     {Gives::made, "value*:any"}},
    {"DELETE", "/api/global-parameters/:name", Needs::policymaker, take_away,
     "Deletes a parameter of the server", Gives::done},
};

}  // namespace

std::span<const Route> parameter_routes() { return routes; }

}  // namespace weir::admin
