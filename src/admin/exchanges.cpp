// Exchanges: listed, declared and deleted.
#include <utility>

#include "admin/body_entry.h"
#include "admin/call.h"
#include "admin/call_session.h"
#include "admin/json_views.h"
#include "admin/listing.h"
#include "admin/resources.h"

namespace weir::admin {
namespace {

namespace json = boost::json;
using broker::Access;
using broker::DestinationKind;

// In paths the default exchange has a name.
std::string named_exchange(const std::string& name) { return name == "amq.default" ? std::string() : name; }

void list_of(Call& call, const std::vector<const broker::VhostDefinition*>& vhosts) {
  std::vector<std::pair<broker::ExchangeDefinition, std::string>> exchanges;  // with their policy
  for (const broker::VhostDefinition* vhost : vhosts) {
    for (const broker::ExchangeDefinition* exchange : call.topology().exchanges(vhost->name))
      exchanges.emplace_back(*exchange, policy_name(call.topology().policy_of(*exchange, false)));
  }
  const std::size_t count = exchanges.size();
  reply_list(call, count, [exchanges = std::move(exchanges)] {
    std::vector<json::object> items;
    for (const auto& [exchange, policy] : exchanges) items.push_back(exchange_view(exchange, policy));
    return items;
  });
}

void list_exchanges(Call& call) { list_of(call, call.vhosts()); }

void show_exchange(Call& call) {
  const broker::ExchangeDefinition* const exchange =
      call.topology().find_exchange(call.capture("vhost"), named_exchange(call.capture("name")));
  if (exchange == nullptr) return call.not_found();
  json::object view = exchange_view(*exchange, policy_name(call.topology().policy_of(*exchange, false)));
  view["incoming"] = json::array();
  view["outgoing"] = json::array();
  reply_item(call, view);
}

void put_exchange(Call& call) {
  if (call.json() == nullptr) return;
  auto reading =
      read_body(call, "exchange", read_exchange,
                {{"name", named_exchange(call.capture("name"))}, {"vhost", call.capture("vhost")}});
  if (!reading) return;
  broker::DeclareExchange request = std::move(only<broker::DeclareExchange>(*reading));
  const bool was_there = call.topology().find_exchange(request.vhost, request.name) != nullptr;
  const auto session = CallSession::open(call);
  if (session == nullptr || !session->may(Access::configure, DestinationKind::exchange, request.name)) return;
  const broker::Value* const alternate = request.arguments.find("alternate-exchange");
  if (alternate != nullptr && alternate->as_string() != nullptr &&
      (!session->may(Access::read, DestinationKind::exchange, request.name) ||
       !session->may(Access::write, DestinationKind::exchange, *alternate->as_string())))
    return;
  session->request([&](node::Session& broker) { broker.declare_exchange(std::move(request)); },
                   [call = call.keep(), was_there](node::ReplyValue&) { call->put_done(was_there); });
}

void delete_exchange(Call& call) {
  const std::string name = named_exchange(call.capture("name"));
  if (call.topology().find_exchange(call.capture("vhost"), name) == nullptr) return call.not_found();
  const auto session = CallSession::open(call);
  if (session == nullptr || !session->may(Access::configure, DestinationKind::exchange, name)) return;
  session->request(
      [&](node::Session& broker) {
        broker.delete_exchange({session->vhost(), name, call.parameter("if-unused") == "true"});
      },
      [call = call.keep()](node::ReplyValue&) { call->no_content(); });
}

constexpr Route routes[] = {
    {"GET", "/api/exchanges", Needs::a_user, list_exchanges, "All exchanges"},
    {"GET", "/api/exchanges/:vhost", Needs::a_user, list_exchanges, "Exchanges of a virtual host"},
    {"GET", "/api/exchanges/:vhost/:name", Needs::a_user, show_exchange, "One exchange"},
    {"PUT", "/api/exchanges/:vhost/:name", Needs::a_user, put_exchange, "Declares an exchange"},
    {"DELETE", "/api/exchanges/:vhost/:name", Needs::a_user, delete_exchange, "Deletes an exchange"},
};

}  // namespace

std::span<const Route> exchange_routes() { return routes; }

}  // namespace weir::admin
