#include "broker/exchange_arguments.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/headers_match.h"
#include "broker/weighted_choice.h"

namespace weir::broker {

namespace {

std::unexpected<Error> refused(std::string words) {
  return fail(ErrorCode::precondition_failed, std::move(words));
}

Status check_delayed(const Table& arguments) {
  const Value* const inner = arguments.find(delayed_type_argument);
  const std::string* const name = inner == nullptr ? nullptr : inner->as_string();
  const auto type = name == nullptr ? std::nullopt : exchange_type(*name);
  // An exchange has one queue of its own.
  if (!type || own_queue_role(*name) != QueueRole::plain)
    return refused("Invalid argument, 'x-delayed-type' must be an existing exchange type");
  return check_exchange_arguments(*type, arguments);
}

Status check_consistent_hash(const Table& arguments) {
  const Value* const header = arguments.find(hash_header_argument);
  const Value* const property = arguments.find(hash_property_argument);
  for (const Value* value : {header, property}) {
    if (value != nullptr && value->as_string() == nullptr)
      return refused(fmt::format("Unsupported type of a hash argument: {}", type_name(*value)));
  }
  if (header != nullptr && property != nullptr)
    return refused("hash-header and hash-property are mutually exclusive");
  if (property == nullptr) return {};
  const std::string& name = *property->as_string();
  if (name == "correlation_id" || name == "message_id" || name == "timestamp") return {};
  return refused(fmt::format("Unsupported property: {}", name));
}

Status check_recent_history(const Table& arguments) {
  const Value* const length = arguments.find(history_length_argument);
  if (length == nullptr) return {};
  std::int64_t number = 0;
  if (length->as_integer(number) && number > 0 && number <= history_length_max) return {};
  if (number > history_length_max) {
    return refused(fmt::format("Invalid argument {}, 'x-recent-history-length' must be at most {}", number,
                               history_length_max));
  }
  return refused(fmt::format("Invalid argument {}, 'x-recent-history-length' must be a positive integer",
                             to_text(*length)));
}

bool is_number(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Status check_weight(std::string_view key) {
  if (binding_weight(key)) return {};
  if (is_number(key)) return refused("The binding key must be greater than 0");
  return refused(fmt::format("The binding key must be an integer: <<\"{}\">>", key));
}

}  // namespace

Status check_exchange_arguments(ExchangeType type, const Table& arguments) {
  switch (type) {
    case ExchangeType::consistent_hash: return check_consistent_hash(arguments);
    case ExchangeType::recent_history: return check_recent_history(arguments);
    case ExchangeType::delayed: return check_delayed(arguments);
    case ExchangeType::direct:
    case ExchangeType::fanout:
    case ExchangeType::topic:
    case ExchangeType::headers:
    case ExchangeType::modulus_hash:
    case ExchangeType::random:
    case ExchangeType::local_random: break;
  }
  return {};
}

Status check_exchange_binding(const ExchangeDefinition& source, const BindingDefinition& binding) {
  const ExchangeType type = matching_type(source.type, source.arguments);
  if (type == ExchangeType::headers) return check_headers_binding(binding.arguments);
  if (type == ExchangeType::consistent_hash) return check_weight(binding.routing_key);
  return {};
}

ExchangeType matching_type(ExchangeType type, const Table& arguments) {
  if (type != ExchangeType::delayed) return type;
  const Value* const inner = arguments.find(delayed_type_argument);
  const std::string* const name = inner == nullptr ? nullptr : inner->as_string();
  return name == nullptr ? type : exchange_type(*name).value_or(type);
}

QueueRole own_queue_role(std::string_view type) {
  if (type == to_string(ExchangeType::delayed)) return QueueRole::delays;
  if (type == to_string(ExchangeType::recent_history)) return QueueRole::history;
  return QueueRole::plain;
}

Table own_queue_arguments(QueueRole role, const Table& of_exchange) {
  Table arguments;
  if (role != QueueRole::history) return arguments;
  std::int64_t length = history_length_default;
  if (const Value* const value = of_exchange.find(history_length_argument)) value->as_integer(length);
  arguments.set("x-max-length", Value{length});
  return arguments;
}

}  // namespace weir::broker
