// The queue class. What may be declared, and what a redeclaration has to agree with, is decided by the broker.
#include <fmt/format.h>

#include "node/reply_address.h"
#include "protocol/amqp091/channel.h"
#include "protocol/amqp091/connection.h"
#include "protocol/amqp091/mapping.h"

namespace weir::amqp091 {

namespace {
// What the names begin with that the broker gives; permissions on them are checked by it.
constexpr std::string_view generated_prefix = "amq.gen-";
}  // namespace

const std::string* Channel::queue_or_last(std::string_view queue) {
  if (!queue.empty()) {
    named_queue_ = queue;
    return &named_queue_;
  }
  if (!last_queue_.empty()) return &last_queue_;
  refuse(ReplyCode::not_found, "no previously declared queue");
  return nullptr;
}

bool Channel::may_dead_letter(std::string_view queue, const broker::Table& arguments) {
  const broker::Value* const exchange = arguments.find("x-dead-letter-exchange");
  if (exchange == nullptr || exchange->as_string() == nullptr) return true;
  return may_use_queue(broker::Access::read, queue) &&
         may_use_exchange(broker::Access::write, *exchange->as_string());
}

void Channel::handle(const QueueDeclare& method) {
  if (method.queue.starts_with(node::reply_queue)) return declare_replies(method);
  std::string queue = without_line_ends(method.queue);
  if (method.passive && queue.empty()) {
    return refuse(ReplyCode::not_found, fmt::format("no queue '' in vhost '{}'", connection_.vhost()));
  }
  broker::DeclareQueue request{
      .vhost = connection_.vhost(),
      .name = queue,
      .passive = method.passive,
      .durable = method.durable,
      .exclusive = method.exclusive,
      .auto_delete = method.auto_delete,
      .arguments = table_from_wire(method.arguments),
  };
  if (!method.passive) {
    const std::string_view name = queue.empty() ? generated_prefix : std::string_view(queue);
    if (!may_use_queue(broker::Access::configure, name) || !may_dead_letter(name, request.arguments)) return;
  }
  begin_request({.kind = Request::Kind::declare_queue, .no_wait = method.no_wait});
  session().declare_queue(std::move(request));
}

template <typename M>
bool Channel::read_queue_binding(const M& method, broker::BindingDefinition& binding) {
  const std::string* const queue = queue_or_last(without_line_ends(method.queue));
  if (queue == nullptr) return false;
  const std::string exchange = without_line_ends(method.exchange);
  if (!may_use_queue(broker::Access::write, *queue)) return false;
  if (!may_use_exchange(broker::Access::read, exchange)) return false;
  binding = {
      .vhost = connection_.vhost(),
      .source = exchange,
      .kind = broker::DestinationKind::queue,
      .destination = *queue,
      // Of the queue declared last, the name is also the routing key when none is given.
      .routing_key =
          method.queue.empty() && method.routing_key.empty() ? *queue : std::string(method.routing_key),
      .arguments = table_from_wire(method.arguments),
  };
  return true;
}

void Channel::handle(const QueueBind& method) {
  broker::BindingDefinition binding;
  if (!read_queue_binding(method, binding)) return;
  begin_request({.kind = Request::Kind::bind_queue, .no_wait = method.no_wait});
  session().bind(std::move(binding));
}

void Channel::handle(const QueueUnbind& method) {
  broker::BindingDefinition binding;
  if (!read_queue_binding(method, binding)) return;
  begin_request({.kind = Request::Kind::unbind_queue});
  session().unbind(std::move(binding));
}

void Channel::handle(const QueuePurge& method) {
  const std::string* const queue = queue_or_last(method.queue);
  if (queue == nullptr || !may_use_queue(broker::Access::read, *queue)) return;
  begin_request({.kind = Request::Kind::purge_queue, .no_wait = method.no_wait});
  session().purge_queue(*queue);
}

void Channel::handle(const QueueDelete& method) {
  const std::string* const queue = queue_or_last(without_line_ends(method.queue));
  if (queue == nullptr || !may_use_queue(broker::Access::configure, *queue)) return;
  begin_request({.kind = Request::Kind::delete_queue, .no_wait = method.no_wait});
  session().delete_queue(*queue, method.if_unused, method.if_empty);
}

}  // namespace weir::amqp091
