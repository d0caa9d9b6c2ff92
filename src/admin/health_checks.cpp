// Whether the server is well: 200, or 503 and why not.
#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <set>
#include <utility>

#include "admin/call.h"
#include "admin/call_session.h"
#include "admin/resources.h"
#include "admin/stats_views.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

void well(Call& call, json::object more = {}) {
  more["status"] = "ok";
  call.ok(more);
}

void failed(Call& call, std::string_view reason, json::object more = {}) {
  more["status"] = "failed";
  more["reason"] = reason;
  call.reply_json(503, json::serialize(more));
}

void check_alarms(Call& call) {
  node::ObserveScope scope;
  scope.shards = true;
  call.observe(std::move(scope), [](Call& asking, node::Observed&& seen) {
    std::set<std::string> alarms;
    for (const node::ShardRow& shard : seen.shards) {
      if (!shard.alarm.empty()) alarms.insert(shard.alarm);
    }
    if (alarms.empty()) return well(asking);
    json::array list;
    for (const std::string& alarm : alarms)
      list.push_back({{"node", asking.api().at().client.node_name()}, {"resource", alarm}});
    failed(asking, "There are alarms in effect on the node", {{"alarms", std::move(list)}});
  });
}

void check_port(Call& call) {
  const std::string& text = call.capture("port");
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return call.bad_request("Invalid port");
  json::array ports;
  for (const ListenerFacts& listener : call.api().facts().listeners) {
    if (listener.port == port) return well(call, {{"port", port}});
    ports.push_back(listener.port);
  }
  failed(call, "No active listener", {{"missing", port}, {"ports", std::move(ports)}});
}

void check_protocol(Call& call) {
  json::array protocols;
  const std::string& wanted = call.capture("protocol");
  for (const ListenerFacts& listener : call.api().facts().listeners) {
    const bool amqp = listener.protocol == "amqp" && (wanted == "amqp091" || wanted == "amqp0.9.1");
    if (listener.protocol == wanted || amqp) return well(call, {{"protocol", wanted}});
    protocols.emplace_back(listener.protocol);
  }
  failed(call, "No active listener", {{"missing", wanted}, {"protocols", std::move(protocols)}});
}

// 0: the unit is none.
std::uint64_t days_of(std::string_view unit) {
  if (unit == "days") return 1;
  if (unit == "weeks") return 7;
  if (unit == "months") return 30;
  return unit == "years" ? 365 : 0;
}

void check_certificates(Call& call) {
  const std::string& text = call.capture("within");
  std::int32_t within = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), within);
  if (error != std::errc() || end != text.data() + text.size())
    return call.bad_request("Invalid expiration value.");
  const std::uint64_t days = days_of(call.capture("unit"));
  if (days == 0)
    return call.bad_request("Time unit not recognised. Supported units: days, weeks, months, years.");
  const Api& api = call.api();
  const std::int64_t expires_s = api.facts().certificate_expires_s ? api.facts().certificate_expires_s() : 0;
  constexpr std::int64_t day_s = 86'400, ms = 1'000;
  const auto now_s = static_cast<std::int64_t>(api.at().client.clock().wall_ms()) / ms;
  const bool expires =
      expires_s != 0 && expires_s <= now_s + within * static_cast<std::int64_t>(days) * day_s;
  json::array expired;
  for (const ListenerFacts& listener : api.facts().listeners) {
    if (!expires || !listener.tls) continue;
    const std::string until = time_text(static_cast<std::uint64_t>(expires_s * ms));
    expired.push_back({{"node", api.at().client.node_name()},
                       {"protocol", listener.protocol},
                       {"interface", listener.address},
                       {"port", listener.port},
                       {"certfile", api.facts().certificate_file},
                       {"certfile_expires_on", json::array{until}}});
  }
  if (expired.empty()) return well(call);
  failed(call, "Certificates expiring", {{"expired", std::move(expired)}});
}

void check_connections(Call& call) {
  node::ObserveScope scope;
  scope.shards = true;
  call.observe(std::move(scope), [](Call& asking, node::Observed&& seen) {
    std::uint64_t connections = 0;
    for (const node::ShardRow& shard : seen.shards) connections += shard.sessions;
    const std::uint64_t limit = asking.api().facts().connections_max;
    const json::object facts{{"connections", connections}, {"limit", limit}};
    if (limit == 0 || connections < limit) return well(asking, facts);
    failed(asking, "node connection limit is reached", facts);
  });
}

void check_size(Call& call) { well(call, {{"cluster_size", 1}, {"target_size", 1}}); }

void always_well(Call& call) { well(call); }

void single_node(Call& call) { well(call, {{"reason", "single node cluster"}}); }

// A message goes through a queue of its own, as a client's would.
constexpr std::string_view test_queue = "aliveness-test";

void get_back(const std::shared_ptr<CallSession>& session) {
  session->request([](node::Session& broker) { broker.get(std::string(test_queue), true); },
                   [call = session->call().keep()](node::ReplyValue& value) {
                     if (std::get<node::Got>(value).delivery) return well(*call);
                     failed(*call, "the message did not come back");
                   });
}

void check_aliveness(Call& call) {
  const auto session = CallSession::open(call);
  if (session == nullptr) return;
  for (const auto access : {broker::Access::configure, broker::Access::read}) {
    if (!session->may(access, broker::DestinationKind::queue, test_queue)) return;
  }
  broker::DeclareQueue queue;
  queue.vhost = session->vhost();
  queue.name = test_queue;
  session->request([&](node::Session& broker) { broker.declare_queue(std::move(queue)); },
                   [session](node::ReplyValue&) {
                     PlainMessage message;
                     message.routing_key = test_queue;
                     message.body = "test_message";
                     session->publish(message, [session](bool) { get_back(session); });
                   });
}

constexpr Route routes[] = {
    {"GET", "/api/aliveness-test/:vhost", Needs::a_user, check_aliveness,
     "Sends a message through a queue and back", Gives::check},
    {"GET", "/api/health/checks/alarms", Needs::monitor, check_alarms, "Is memory or disk short?",
     Gives::check},
    {"GET", "/api/health/checks/local-alarms", Needs::monitor, check_alarms, "The same, of this node",
     Gives::check},
    {"GET", "/api/health/checks/port-listener/:port", Needs::monitor, check_port, "Is the port listened on?",
     Gives::check},
    {"GET", "/api/health/checks/protocol-listener/:protocol", Needs::monitor, check_protocol,
     "Is the protocol served?", Gives::check},
    {"GET", "/api/health/checks/certificate-expiration/:within/:unit", Needs::monitor, check_certificates,
     "Is the certificate of TLS listeners good for as long?", Gives::check},
    {"GET", "/api/health/checks/below-node-connection-limit", Needs::monitor, check_connections,
     "May more clients connect?", Gives::check},
    {"GET", "/api/health/checks/reached-target-cluster-size", Needs::monitor, check_size,
     "Are all nodes there? There is one", Gives::check},
    {"GET", "/api/health/checks/metadata-store/initialized", Needs::monitor, always_well,
     "Are definitions there? They are, if the server is", Gives::check},
    {"GET", "/api/health/checks/metadata-store/initialized/with-data", Needs::monitor, always_well,
     "Are definitions there? They are, if the server is", Gives::check},
    {"GET", "/api/health/checks/quorum-queues-without-elected-leaders/all-vhosts", Needs::monitor,
     always_well, "Do all queues have a leader? There is one node", Gives::check},
    {"GET", "/api/health/checks/quorum-queues-without-elected-leaders/all-vhosts/pattern/:pattern",
     Needs::monitor, always_well, "The same, of queues by their names", Gives::check},
    {"GET", "/api/health/checks/quorum-queues-without-elected-leaders/vhost/:vhost", Needs::monitor,
     always_well, "The same, of a virtual host", Gives::check},
    {"GET", "/api/health/checks/quorum-queues-without-elected-leaders/vhost/:vhost/pattern/:pattern",
     Needs::monitor, always_well, "The same, of queues of a virtual host by their names", Gives::check},
    {"GET", "/api/health/checks/virtual-hosts", Needs::monitor, always_well,
     "Are all virtual hosts there? They are, if the server is", Gives::check},
    {"GET", "/api/health/checks/node-is-quorum-critical", Needs::monitor, single_node,
     "Would a quorum be lost with this node? There is one node", Gives::check},
    {"GET", "/api/health/checks/node-is-mirror-sync-critical", Needs::monitor, single_node,
     "Would a mirror be lost with this node? There is one node", Gives::check},
    {"GET", "/api/health/checks/is-in-service", Needs::monitor, always_well, "Are clients served?",
     Gives::check},
    {"GET", "/api/health/checks/ready-to-serve-clients", Needs::monitor, always_well, "Are clients served?",
     Gives::check},
    {"GET", "/api/healthchecks/node", Needs::monitor, check_alarms, "The old check of everything",
     Gives::check},
    {"GET", "/api/healthchecks/node/:node", Needs::monitor, check_alarms, "The old check of everything",
     Gives::check},
};

}  // namespace

std::span<const Route> health_routes() { return routes; }

}  // namespace weir::admin
