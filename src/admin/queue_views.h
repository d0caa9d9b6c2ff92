// What it is: queues as the API shows them.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "broker/definitions.h"
#include "broker/topology.h"

namespace weir::admin {

// What the definitions say of a queue, copied.
struct QueueFacts {
  broker::QueueDefinition definition;
  std::string policy, operator_policy;  // empty: none
  broker::Table effective_policy;       // what both say together
};
QueueFacts facts_of(const broker::Topology& topology, const broker::QueueDefinition& queue);

boost::json::object queue_view(const QueueFacts& queue, const std::string& node_name);

}  // namespace weir::admin
