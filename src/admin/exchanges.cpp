// Exchanges: listed, declared and deleted.
#include <algorithm>
#include <functional>
#include <memory>
#include <tuple>
#include <utility>

#include "admin/body_entry.h"
#include "admin/call.h"
#include "admin/call_session.h"
#include "admin/json_views.h"
#include "admin/listing.h"
#include "admin/resources.h"
#include "admin/stats_views.h"

namespace weir::admin {
namespace {

namespace json = boost::json;
using broker::Access;
using broker::DestinationKind;

// In paths the default exchange has a name.
std::string named_exchange(const std::string& name) { return name == "amq.default" ? std::string() : name; }

struct Row {
  broker::ExchangeDefinition exchange;
  std::string policy;
  const node::ExchangeRow* seen = nullptr;  // null: nothing was published to it yet
  HistoryList histories;

  json::object view(const SampleRanges& ranges) const {
    json::object view = exchange_view(exchange, policy);
    if (seen != nullptr) view["message_stats"] = exchange_stats(*seen);
    add_exchange_samples(view, histories, ranges);
    return view;
  }
};

struct Rows {
  std::vector<Row> rows;
  node::Observed seen;
  SampleRanges ranges;

  void add(const Call& call, const broker::ExchangeDefinition& exchange) {
    const auto key = std::tie(exchange.vhost, exchange.name);
    const auto before = [](const node::ExchangeRow& row, const auto& wanted) {
      return std::tie(row.vhost, row.name) < wanted;
    };
    const auto at = std::lower_bound(seen.exchanges.begin(), seen.exchanges.end(), key, before);
    const bool found = at != seen.exchanges.end() && std::tie(at->vhost, at->name) == key;
    rows.push_back(
        {exchange, policy_name(call.topology().policy_of(exchange, false)), found ? &*at : nullptr, {}});
    if (found && ranges.msg_rates) rows.back().histories = call.histories_of(exchange);
  }
};

void with_exchanges(Call& call, std::function<void(Call&, const std::shared_ptr<Rows>&)> then) {
  const auto ranges = call.sample_ranges();
  if (!ranges) return;
  node::ObserveScope scope;
  scope.exchanges = true;
  if (call.captures("vhost")) scope.vhost = call.capture("vhost");
  call.observe(std::move(scope),
               [then = std::move(then), ranges = *ranges](Call& asking, node::Observed&& seen) {
                 const auto rows = std::make_shared<Rows>();
                 rows->seen = std::move(seen);
                 rows->ranges = ranges;
                 then(asking, rows);
               });
}

void list_exchanges(Call& call) {
  with_exchanges(call, [](Call& asking, const std::shared_ptr<Rows>& rows) {
    for (const broker::VhostDefinition* vhost : asking.vhosts()) {
      for (const broker::ExchangeDefinition* exchange : asking.topology().exchanges(vhost->name))
        rows->add(asking, *exchange);
    }
    reply_list(asking, rows->rows.size(), [rows] {
      std::vector<json::object> items;
      for (const Row& row : rows->rows) items.push_back(row.view(rows->ranges));
      return items;
    });
  });
}

void show_exchange(Call& call) {
  with_exchanges(call, [](Call& asking, const std::shared_ptr<Rows>& rows) {
    const broker::ExchangeDefinition* const exchange =
        asking.topology().find_exchange(asking.capture("vhost"), named_exchange(asking.capture("name")));
    if (exchange == nullptr) return asking.not_found();
    rows->add(asking, *exchange);
    json::object view = rows->rows.front().view(rows->ranges);
    view["incoming"] = json::array();
    view["outgoing"] = json::array();
    reply_item(asking, view);
  });
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

constexpr std::string_view exchange_samples = "msg_rates_age:integer msg_rates_incr:integer";

constexpr Route routes[] = {
    {"GET",
     "/api/exchanges",
     Needs::a_user,
     list_exchanges,
     "All exchanges",
     {Gives::list, "", exchange_samples}},
    {"GET",
     "/api/exchanges/:vhost",
     Needs::a_user,
     list_exchanges,
     "Exchanges of a virtual host",
     {Gives::list, "", exchange_samples}},
    {"GET",
     "/api/exchanges/:vhost/:name",
     Needs::a_user,
     show_exchange,
     "One exchange",
     {Gives::item, "", exchange_samples}},
    {"PUT",
     "/api/exchanges/:vhost/:name",
     Needs::a_user,
     put_exchange,
     "Declares an exchange",
     {Gives::made, "type*:string durable:boolean auto_delete:boolean internal:boolean arguments:object"}},
    {"DELETE",
     "/api/exchanges/:vhost/:name",
     Needs::a_user,
     delete_exchange,
     "Deletes an exchange",
     {Gives::done, "", "if-unused:boolean"}},
};

}  // namespace

std::span<const Route> exchange_routes() { return routes; }

}  // namespace weir::admin
