// What it is: the protocols that sessions speak, as those who count tell them apart. A session's id says which is its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::node {

enum class Protocol : std::uint8_t { none, amqp091, amqp10, mqtt, stomp, http, kafka, sqs, count };
inline constexpr std::size_t protocol_count = static_cast<std::size_t>(Protocol::count);

// As metrics have it.
constexpr std::string_view label_of(Protocol protocol) {
  constexpr std::string_view labels[] = {"none",  "amqp091", "amqp10", "mqtt",
                                         "stomp", "http",    "kafka",  "sqs"};
  return labels[static_cast<std::size_t>(protocol)];
}

// Of SessionInfo::protocol: "AMQP 0-9-1", "MQTT 5".
constexpr Protocol protocol_named(std::string_view name) {
  if (name.starts_with("AMQP 0-9-1")) return Protocol::amqp091;
  if (name.starts_with("AMQP 1.0")) return Protocol::amqp10;
  if (name.starts_with("MQTT")) return Protocol::mqtt;
  if (name.starts_with("STOMP")) return Protocol::stomp;
  if (name.starts_with("HTTP")) return Protocol::http;
  if (name.starts_with("Kafka")) return Protocol::kafka;
  if (name.starts_with("SQS")) return Protocol::sqs;
  return Protocol::none;
}

}  // namespace weir::node
