// Bindings: listed by either end, made and removed.
#include <fmt/format.h>

#include <functional>
#include <utility>

#include "admin/body_entry.h"
#include "admin/call.h"
#include "admin/call_session.h"
#include "admin/json_views.h"
#include "admin/listing.h"
#include "admin/resources.h"
#include "protocol/http/codec/target.h"

namespace weir::admin {
namespace {

namespace json = boost::json;
using broker::BindingDefinition;
using broker::DestinationKind;

std::string exchange_of_path(const Call& call, std::string_view name) {
  return call.capture(name) == "amq.default" ? std::string() : call.capture(name);
}

// Every queue is bound to the default exchange by its name.
BindingDefinition default_binding(const std::string& vhost, const std::string& queue) {
  return {.vhost = vhost, .source = {}, .destination = queue, .routing_key = queue, .arguments = {}};
}

void list(Call& call, std::vector<BindingDefinition> bindings) {
  const std::size_t count = bindings.size();
  reply_list(call, count,
             [bindings = std::move(bindings)] {
               std::vector<json::object> items;
               for (const BindingDefinition& binding : bindings) items.push_back(binding_view(binding));
               return items;
             },
             {"vhost", "source", "destination", "routing_key", "properties_key"});
}

void append(std::vector<BindingDefinition>& to, std::vector<BindingDefinition> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

void append_default(std::vector<BindingDefinition>& to, const broker::Topology& topology,
                    const std::string& vhost) {
  for (const broker::QueueDefinition* queue : topology.queues(vhost))
    to.push_back(default_binding(vhost, queue->name));
}

void list_all(Call& call) {
  std::vector<BindingDefinition> bindings;
  for (const broker::VhostDefinition* vhost : call.vhosts()) {
    append_default(bindings, call.topology(), vhost->name);
    append(bindings, call.topology().bindings(vhost->name));
  }
  list(call, std::move(bindings));
}

void list_from(Call& call) {
  const std::string vhost = call.capture("vhost"), name = exchange_of_path(call, "name");
  if (call.topology().find_exchange(vhost, name) == nullptr) return call.not_found();
  std::vector<BindingDefinition> bindings;
  if (name.empty()) append_default(bindings, call.topology(), vhost);
  append(bindings, call.topology().bindings_from(vhost, name));
  list(call, std::move(bindings));
}

void list_to_exchange(Call& call) {
  const std::string vhost = call.capture("vhost"), name = exchange_of_path(call, "name");
  if (call.topology().find_exchange(vhost, name) == nullptr) return call.not_found();
  list(call, call.topology().bindings_to(vhost, DestinationKind::exchange, name));
}

void list_to_queue(Call& call) {
  const std::string vhost = call.capture("vhost"), name = call.capture("name");
  if (call.topology().find_queue(vhost, name) == nullptr) return call.not_found();
  std::vector<BindingDefinition> bindings{default_binding(vhost, name)};
  append(bindings, call.topology().bindings_to(vhost, DestinationKind::queue, name));
  list(call, std::move(bindings));
}

// --- between two ends: /bindings/:vhost/e/:source/q/:destination ---

struct Ends {
  std::string vhost, source, destination;
  DestinationKind kind = DestinationKind::queue;
};

// nullopt: the call is refused, for the path says no kind, or one of them is not there.
std::optional<Ends> ends_of(Call& call) {
  Ends ends{call.capture("vhost"), exchange_of_path(call, "source"), call.capture("destination")};
  const std::string& kind = call.capture("kind");
  if (kind == "e") {
    ends.kind = DestinationKind::exchange;
    ends.destination = exchange_of_path(call, "destination");
  }
  if (kind == "e" || kind == "q") return ends;
  call.not_found();
  return std::nullopt;
}

bool both_are_there(const broker::Topology& topology, const Ends& ends) {
  const bool destination = ends.kind == DestinationKind::queue
                               ? topology.find_queue(ends.vhost, ends.destination) != nullptr
                               : topology.find_exchange(ends.vhost, ends.destination) != nullptr;
  return destination && topology.find_exchange(ends.vhost, ends.source) != nullptr;
}

std::vector<BindingDefinition> bindings_between(const broker::Topology& topology, const Ends& ends) {
  if (ends.source.empty()) {
    if (ends.kind == DestinationKind::exchange) return {};
    return {default_binding(ends.vhost, ends.destination)};
  }
  std::vector<BindingDefinition> bindings = topology.bindings_to(ends.vhost, ends.kind, ends.destination);
  std::erase_if(bindings, [&](const BindingDefinition& one) { return one.source != ends.source; });
  return bindings;
}

void list_between(Call& call) {
  const auto ends = ends_of(call);
  if (!ends) return;
  if (!both_are_there(call.topology(), *ends)) return call.not_found();
  list(call, bindings_between(call.topology(), *ends));
}

// That the properties key of the path names; nullopt: the call is refused.
std::optional<BindingDefinition> named_binding(Call& call) {
  const auto ends = ends_of(call);
  if (!ends) return std::nullopt;
  if (both_are_there(call.topology(), *ends)) {
    const std::vector<BindingDefinition> bindings = bindings_between(call.topology(), *ends);
    const std::string& wanted = call.capture("properties");
    for (const BindingDefinition& binding : bindings) {
      if (properties_key(binding) == wanted) return binding;
    }
    // Clients escape the key once more, or give the bare routing key, which is escaped then.
    for (const BindingDefinition& binding : bindings) {
      if (http::percent_decode(properties_key(binding), true) == wanted) return binding;
    }
  }
  call.not_found();
  return std::nullopt;
}

void show(Call& call) {
  if (const auto binding = named_binding(call)) reply_item(call, binding_view(*binding));
}

bool may_bind(CallSession& session, const BindingDefinition& binding) {
  return session.may(broker::Access::write, binding.kind, binding.destination) &&
         session.may(broker::Access::read, DestinationKind::exchange, binding.source);
}

void bind(Call& call) {
  const auto ends = ends_of(call);
  if (!ends) return;
  auto reading =
      read_body(call, "binding", read_binding,
                {{"vhost", ends->vhost},
                 {"source", ends->source.empty() ? "amq.default" : ends->source},
                 {"destination", ends->destination.empty() ? "amq.default" : ends->destination},
                 {"destination_type", ends->kind == DestinationKind::queue ? "queue" : "exchange"}});
  if (!reading) return;
  BindingDefinition binding = std::move(only<broker::Bind>(*reading).binding);
  binding.source = ends->source;
  binding.destination = ends->destination;
  const auto session = CallSession::open(call);
  if (session == nullptr || !may_bind(*session, binding)) return;
  // What is in the path of the call is not repeated.
  const std::string location =
      http::percent_encode(call.capture("destination")) + "/" + http::percent_encode(properties_key(binding));
  session->request([&](node::Session& broker) { broker.bind(std::move(binding)); },
                   [call = call.keep(), location](node::ReplyValue&) {
                     http::Response response;
                     response.status = 201;
                     response.headers.push_back({"Location", location});
                     call->reply(std::move(response));
                   });
}

void unbind(Call& call) {
  auto binding = named_binding(call);
  if (!binding) return;
  const auto session = CallSession::open(call);
  if (session == nullptr || !may_bind(*session, *binding)) return;
  session->request([&](node::Session& broker) { broker.unbind(std::move(*binding)); },
                   [call = call.keep()](node::ReplyValue&) { call->no_content(); });
}

constexpr std::string_view between = "/api/bindings/:vhost/e/:source/:kind/:destination";
constexpr std::string_view one = "/api/bindings/:vhost/e/:source/:kind/:destination/:properties";

constexpr Route routes[] = {
    {"GET", "/api/bindings", Needs::a_user, list_all, "All bindings", Gives::list},
    {"GET", "/api/bindings/:vhost", Needs::a_user, list_all, "Bindings of a virtual host", Gives::list},
    {"GET", between, Needs::a_user, list_between,
     "Bindings between an exchange and a queue (q) or an exchange (e)", Gives::list},
    {"POST",
     between,
     Needs::a_user,
     bind,
     "Binds a queue (q) or an exchange (e) to an exchange",
     {Gives::bound, "routing_key:string arguments:object"}},
    {"GET", one, Needs::a_user, show, "One binding", Gives::item},
    {"DELETE", one, Needs::a_user, unbind, "Removes a binding", Gives::done},
    {"GET", "/api/exchanges/:vhost/:name/bindings/source", Needs::a_user, list_from,
     "Bindings from an exchange", Gives::list},
    {"GET", "/api/exchanges/:vhost/:name/bindings/destination", Needs::a_user, list_to_exchange,
     "Bindings to an exchange", Gives::list},
    {"GET", "/api/queues/:vhost/:name/bindings", Needs::a_user, list_to_queue, "Bindings to a queue",
     Gives::list},
};

}  // namespace

std::span<const Route> binding_routes() { return routes; }

}  // namespace weir::admin
