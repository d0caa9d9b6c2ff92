// What it is: consumers as the API shows them.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "broker/topology.h"
#include "node/observe.h"

namespace weir::admin {

// With the names of its queue and its connection, copied.
struct ConsumerFacts {
  node::ConsumerRow row;
  std::string vhost, queue;
  std::string connection, user;  // empty: the connection has gone meanwhile
  std::string peer_host;
  std::uint16_t peer_port = 0;
};
// Of queues that are there still.
std::vector<ConsumerFacts> consumers_of(const broker::Topology& topology, node::Observed&& seen);

boost::json::object consumer_view(const ConsumerFacts& consumer, const std::string& node_name);

}  // namespace weir::admin
