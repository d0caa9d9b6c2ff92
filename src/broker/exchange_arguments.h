// What it is: what the types of exchanges ask of the arguments of exchanges and of the bindings out of them, with the words
// of RabbitMQ and its plugins.
#pragma once

#include <string_view>

#include "base/error.h"
#include "broker/definitions.h"

namespace weir::broker {

inline constexpr std::string_view hash_header_argument = "hash-header";
inline constexpr std::string_view hash_property_argument = "hash-property";
inline constexpr std::string_view history_length_argument = "x-recent-history-length";
inline constexpr std::int64_t history_length_default = 20;
inline constexpr std::int64_t history_length_max = 65'535;

// precondition_failed.
Status check_exchange_arguments(ExchangeType type, const Table& arguments);
Status check_exchange_binding(const ExchangeDefinition& source, const BindingDefinition& binding);

// Of checked arguments: how an exchange chooses among its bindings. Its type, or what a delayed one names.
ExchangeType matching_type(ExchangeType type, const Table& arguments);

// plain: the type needs no queue of its own.
QueueRole own_queue_role(std::string_view type);
Table own_queue_arguments(QueueRole role, const Table& of_exchange);

}  // namespace weir::broker
