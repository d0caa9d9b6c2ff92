// The exchange class. What may be declared, and what a redeclaration has to agree with, is decided by the broker.
#include <fmt/format.h>

#include <optional>

#include "broker/definitions.h"
#include "protocol/amqp091/channel.h"
#include "protocol/amqp091/connection.h"
#include "protocol/amqp091/mapping.h"

namespace weir::amqp091 {

namespace {

// None: all types that it names are known.
std::optional<std::string_view> unknown_type(std::string_view type, const broker::Table& arguments) {
  if (!broker::exchange_type(type)) return type;
  if (broker::exchange_type(type) != broker::ExchangeType::delayed) return std::nullopt;
  const broker::Value* const inner = arguments.find(broker::delayed_type_argument);
  const std::string* const name = inner == nullptr ? nullptr : inner->as_string();
  if (name == nullptr || broker::exchange_type(*name)) return std::nullopt;
  return *name;
}

}  // namespace

void Channel::handle(const ExchangeDeclare& method) {
  broker::DeclareExchange request{
      .vhost = connection_.vhost(),
      .name = without_line_ends(method.exchange),
      .type = std::string(method.type),
      .passive = method.passive,
      .durable = method.durable,
      .auto_delete = method.auto_delete,
      .internal = method.internal,
      .arguments = table_from_wire(method.arguments),
  };
  if (!method.passive) {
    if (const auto unknown = unknown_type(method.type, request.arguments)) {
      return refuse(ReplyCode::command_invalid, fmt::format("unknown exchange type '{}'", *unknown));
    }
    if (!may_use_exchange(broker::Access::configure, request.name)) return;
    const broker::Value* const alternate = request.arguments.find("alternate-exchange");
    if (alternate != nullptr && alternate->as_string() != nullptr &&
        (!may_use_exchange(broker::Access::read, request.name) ||
         !may_use_exchange(broker::Access::write, *alternate->as_string()))) {
      return;
    }
  }
  begin_request({.kind = Request::Kind::declare_exchange, .no_wait = method.no_wait});
  session().declare_exchange(std::move(request));
}

void Channel::handle(const ExchangeDelete& method) {
  std::string exchange = without_line_ends(method.exchange);
  if (!may_use_exchange(broker::Access::configure, exchange)) return;
  begin_request({.kind = Request::Kind::delete_exchange, .no_wait = method.no_wait});
  session().delete_exchange({connection_.vhost(), std::move(exchange), method.if_unused});
}

template <typename M>
bool Channel::read_exchange_binding(const M& method, broker::BindingDefinition& binding) {
  const std::string source = without_line_ends(method.source);
  const std::string destination = without_line_ends(method.destination);
  if (!may_use_exchange(broker::Access::write, destination)) return false;
  if (!may_use_exchange(broker::Access::read, source)) return false;
  binding = {
      .vhost = connection_.vhost(),
      .source = source,
      .kind = broker::DestinationKind::exchange,
      .destination = destination,
      .routing_key = std::string(method.routing_key),
      .arguments = table_from_wire(method.arguments),
  };
  return true;
}

void Channel::handle(const ExchangeBind& method) {
  broker::BindingDefinition binding;
  if (!read_exchange_binding(method, binding)) return;
  begin_request({.kind = Request::Kind::bind_exchange, .no_wait = method.no_wait});
  session().bind(std::move(binding));
}

void Channel::handle(const ExchangeUnbind& method) {
  broker::BindingDefinition binding;
  if (!read_exchange_binding(method, binding)) return;
  begin_request({.kind = Request::Kind::unbind_exchange, .no_wait = method.no_wait});
  session().unbind(std::move(binding));
}

}  // namespace weir::amqp091
