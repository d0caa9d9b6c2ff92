// Queues: listed, declared, emptied and deleted.
#include <memory>
#include <utility>

#include "admin/body_entry.h"
#include "admin/call.h"
#include "admin/call_session.h"
#include "admin/consumer_views.h"
#include "admin/listing.h"
#include "admin/queue_list.h"
#include "admin/queue_views.h"
#include "admin/resources.h"

namespace weir::admin {
namespace {

namespace json = boost::json;
using broker::Access;
using broker::DestinationKind;

void show_queue(Call& call) {
  const auto* const queue = call.topology().find_queue(call.capture("vhost"), call.capture("name"));
  if (queue == nullptr) return call.not_found();
  const auto ranges = call.sample_ranges();
  if (!ranges) return;
  node::ObserveScope scope;
  scope.queues = scope.consumers = scope.sessions = true;
  scope.vhost = queue->vhost;
  scope.only = {queue->id};
  call.observe(std::move(scope), [ranges = *ranges](Call& asking, node::Observed&& seen) {
    const auto* const found = asking.topology().find_queue(asking.capture("vhost"), asking.capture("name"));
    if (found == nullptr) return asking.not_found();
    const std::string& node_name = asking.api().at().client.node_name();
    const std::uint64_t now_ms = seen.at_ms;
    node::QueueRow row = seen.queues.empty() ? node::QueueRow{} : std::move(seen.queues.front());
    json::array consumers;
    for (const ConsumerFacts& consumer : consumers_of(asking.topology(), std::move(seen)))
      consumers.push_back(consumer_view(consumer, node_name));
    json::object view =
        seen_queue_view(seen_queue(asking, *found, std::move(row), ranges), node_name, now_ms, ranges);
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
    {"GET",
     "/api/queues/detailed",
     Needs::a_user,
     list_queues,
     "All queues",
     {Gives::list, "", sample_parameters}},
    {"GET", "/api/queues", Needs::a_user, list_queues, "All queues", {Gives::list, "", sample_parameters}},
    {"GET",
     "/api/queues/:vhost",
     Needs::a_user,
     list_queues,
     "Queues of a virtual host",
     {Gives::list, "", sample_parameters}},
    {"GET",
     "/api/queues/:vhost/:name",
     Needs::a_user,
     show_queue,
     "One queue",
     {Gives::item, "", sample_parameters}},
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
