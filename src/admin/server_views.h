// What it is: what the server says of itself.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "admin/api.h"
#include "broker/topology.h"
#include "node/observe.h"

namespace weir::admin {

// Of RabbitMQ, as far as clients decide by it what they may ask for.
inline constexpr std::string_view compatible_version = "3.10.8";
// The global parameter that holds a name once one was given.
inline constexpr std::string_view cluster_name_parameter = "cluster_name";

std::string cluster_name(const broker::Topology& topology, const ServerFacts& facts);
std::span<const std::string_view> feature_flags();
boost::json::array exchange_types_view();
// The node, as /api/nodes has it, with what it needs of the moment.
boost::json::object node_view(const ServerFacts& facts, const std::string& name, const node::Observed& shards,
                              std::uint64_t now_ms);

}  // namespace weir::admin
