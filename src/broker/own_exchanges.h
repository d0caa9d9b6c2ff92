// What it is: the exchanges that the broker itself publishes to. Nobody else may.
#pragma once

#include <string>
#include <string_view>

#include "broker/definitions.h"

namespace weir::broker {

inline constexpr std::string_view event_exchange = "amq.rabbitmq.event";  // what happens; of one vhost
inline constexpr std::string_view trace_exchange = "amq.rabbitmq.trace";  // what comes and goes in a vhost

inline ExchangeDefinition own_exchange(const std::string& vhost, std::string_view name) {
  return {.vhost = vhost,
          .name = std::string(name),
          .type = ExchangeType::topic,
          .durable = true,
          .internal = true,
          .arguments = {}};
}

}  // namespace weir::broker
