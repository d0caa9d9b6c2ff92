// Queues: listed, declared, emptied and deleted.
#include <memory>
#include <unordered_map>
#include <utility>

#include "admin/body_entry.h"
#include "admin/call.h"
#include "admin/call_session.h"
#include "admin/consumer_views.h"
#include "admin/listing.h"
#include "admin/queue_views.h"
#include "admin/resources.h"
#include "admin/stats_views.h"

namespace weir::admin {
namespace {

namespace json = boost::json;
using broker::Access;
using broker::DestinationKind;

struct QueueRows {
  std::vector<QueueFacts> queues;
  std::unordered_map<QueueId, node::QueueRow>
      rows;  // what was seen of them; a queue may be too new to have one
  std::uint64_t at_ms = 0;
  std::string node_name;

  json::object view(const QueueFacts& queue) const {
    json::object view = queue_view(queue, node_name);
    const auto row = rows.find(queue.definition.id);
    add_queue_row(view, row == rows.end() ? node::QueueRow{} : row->second, at_ms);
    return view;
  }
};

std::shared_ptr<QueueRows> rows_of(const Call& call, node::Observed&& seen) {
  auto rows = std::make_shared<QueueRows>();
  rows->at_ms = seen.at_ms;
  rows->node_name = call.api().at().client.node_name();
  for (node::QueueRow& row : seen.queues) rows->rows.emplace(row.queue, std::move(row));
  return rows;
}

void list_queues(Call& call) {
  node::ObserveScope scope;
  scope.queues = true;
  if (call.captures("vhost")) scope.vhost = call.capture("vhost");
  call.observe(std::move(scope), [](Call& asking, node::Observed&& seen) {
    const auto rows = rows_of(asking, std::move(seen));
    for (const broker::VhostDefinition* vhost : asking.vhosts()) {
      for (const broker::QueueDefinition* queue : asking.topology().queues(vhost->name))
        rows->queues.push_back(facts_of(asking.topology(), *queue));
    }
    reply_list(asking, rows->queues.size(), [rows] {
      std::vector<json::object> items;
      for (const QueueFacts& queue : rows->queues) items.push_back(rows->view(queue));
      return items;
    });
  });
}

void show_queue(Call& call) {
  const auto* const queue = call.topology().find_queue(call.capture("vhost"), call.capture("name"));
  if (queue == nullptr) return call.not_found();
  node::ObserveScope scope;
  scope.queues = scope.consumers = scope.sessions = true;
  scope.vhost = queue->vhost;
  scope.only = {queue->id};
  call.observe(std::move(scope), [](Call& asking, node::Observed&& seen) {
    const auto* const found = asking.topology().find_queue(asking.capture("vhost"), asking.capture("name"));
    if (found == nullptr) return asking.not_found();
    json::array consumers;
    const auto rows = rows_of(asking, node::Observed(seen));
    for (const ConsumerFacts& consumer : consumers_of(asking.topology(), std::move(seen)))
      consumers.push_back(consumer_view(consumer, rows->node_name));
    json::object view = rows->view(facts_of(asking.topology(), *found));
    view["consumer_details"] = std::move(consumers);
    view["incoming"] = json::array();
    view["deliveries"] = json::array();
    reply_item(asking, view);
  });
}

void put_queue(Call& call) {
  auto reading = read_body(call, "queue", read_queue,
                           {{"name", call.capture("name")}, {"vhost", call.capture("vhost")}});
  if (!reading) return;
  broker::DeclareQueue request = std::move(only<broker::DeclareQueue>(*reading));
  const bool was_there = call.topology().find_queue(request.vhost, request.name) != nullptr;
  const auto session = CallSession::open(call);
  if (session == nullptr || !session->may(Access::configure, DestinationKind::queue, request.name)) return;
  const broker::Value* const letters = request.arguments.find("x-dead-letter-exchange");
  if (letters != nullptr && letters->as_string() != nullptr &&
      (!session->may(Access::read, DestinationKind::queue, request.name) ||
       !session->may(Access::write, DestinationKind::exchange, *letters->as_string())))
    return;
  session->request([&](node::Session& broker) { broker.declare_queue(std::move(request)); },
                   [call = call.keep(), was_there](node::ReplyValue&) { call->put_done(was_there); });
}

// Null: the call is refused.
std::shared_ptr<CallSession> session_on_queue(Call& call, Access access) {
  if (call.topology().find_queue(call.capture("vhost"), call.capture("name")) == nullptr) {
    call.not_found();
    return nullptr;
  }
  auto session = CallSession::open(call);
  if (session == nullptr || !session->may(access, DestinationKind::queue, call.capture("name")))
    return nullptr;
  return session;
}

void delete_queue(Call& call) {
  const auto session = session_on_queue(call, Access::configure);
  if (session == nullptr) return;
  session->request(
      [&](node::Session& broker) {
        broker.delete_queue(call.capture("name"), call.parameter("if-unused") == "true",
                            call.parameter("if-empty") == "true");
      },
      [call = call.keep()](node::ReplyValue&) { call->no_content(); });
}

void purge_queue(Call& call) {
  const auto session = session_on_queue(call, Access::read);
  if (session == nullptr) return;
  session->request([&](node::Session& broker) { broker.purge_queue(call.capture("name")); },
                   [call = call.keep()](node::ReplyValue&) { call->no_content(); });
}

constexpr Route routes[] = {
    {"GET", "/api/queues", Needs::a_user, list_queues, "All queues", Gives::list},
    {"GET", "/api/queues/:vhost", Needs::a_user, list_queues, "Queues of a virtual host", Gives::list},
    {"GET", "/api/queues/:vhost/:name", Needs::a_user, show_queue, "One queue", Gives::item},
    {"PUT",
     "/api/queues/:vhost/:name",
     Needs::a_user,
     put_queue,
     "Declares a queue",
     {Gives::made, "durable:boolean auto_delete:boolean arguments:object type:string"}},
    {"DELETE",
     "/api/queues/:vhost/:name",
     Needs::a_user,
     delete_queue,
     "Deletes a queue",
     {Gives::done, "", "if-unused:boolean if-empty:boolean"}},
    {"DELETE", "/api/queues/:vhost/:name/contents", Needs::a_user, purge_queue, "Empties a queue",
     Gives::done},
};

}  // namespace

std::span<const Route> queue_routes() { return routes; }

}  // namespace weir::admin
