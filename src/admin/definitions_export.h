// What it is: definitions as a file: JSON in the format that RabbitMQ exports and imports. What only this server knows is in
// sections that RabbitMQ passes over ("weir_limits").
#pragma once

#include <string>
#include <string_view>

#include "broker/topology.h"

namespace weir::admin {

// Of a password hash that no other server knows: what stands before it is base64 of its text.
inline constexpr std::string_view argon2id_algorithm = "weir_password_hashing_argon2id";

// Everything but what goes with a connection: exclusive queues, and what every vhost has by itself.
std::string export_definitions(const broker::Topology& topology);
// Of one vhost, without its name, to be imported into any: policies, parameters, exchanges, queues, bindings.
std::string export_vhost_definitions(const broker::Topology& topology, std::string_view vhost);

}  // namespace weir::admin
