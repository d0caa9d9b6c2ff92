#include "admin/consumer_views.h"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "admin/json_value.h"

namespace weir::admin {

namespace json = boost::json;

std::vector<ConsumerFacts> consumers_of(const broker::Topology& topology, node::Observed&& seen) {
  std::unordered_map<SessionId, const node::SessionRow*> sessions;
  for (const node::SessionRow& session : seen.sessions) sessions.emplace(session.id, &session);
  std::vector<ConsumerFacts> consumers;
  for (node::ConsumerRow& row : seen.consumers) {
    const broker::QueueDefinition* const queue = topology.find_queue(row.queue);
    if (queue == nullptr) continue;
    ConsumerFacts facts{std::move(row), queue->vhost, queue->name, {}, {}, {}, 0};
    if (const auto at = sessions.find(facts.row.session); at != sessions.end()) {
      facts.connection = at->second->name;
      facts.user = at->second->info.user;
      facts.peer_host = at->second->info.peer.address;
      facts.peer_port = at->second->info.peer.port;
    }
    consumers.push_back(std::move(facts));
  }
  return consumers;
}

json::object consumer_view(const ConsumerFacts& consumer, const std::string& node_name) {
  const node::ConsumerRow& row = consumer.row;
  json::object view;
  view["consumer_tag"] = row.tag;
  view["queue"] = {{"name", consumer.queue}, {"vhost", consumer.vhost}};
  view["ack_required"] = row.ack_required;
  view["exclusive"] = row.exclusive;
  view["active"] = row.active;
  view["activity_status"] = row.activity_status;
  view["prefetch_count"] = row.prefetch;
  view["arguments"] = to_json(row.arguments);
  view["channel_details"] = {{"name", fmt::format("{} ({})", consumer.connection, row.channel)},
                             {"number", row.channel},
                             {"connection_name", consumer.connection},
                             {"user", consumer.user},
                             {"node", node_name},
                             {"peer_host", consumer.peer_host},
                             {"peer_port", consumer.peer_port}};
  // Beyond RabbitMQ.
  view["messages_unacknowledged"] = row.unacknowledged;
  return view;
}

}  // namespace weir::admin
