// What it is: queues as the API shows them.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>

#include "admin/call.h"
#include "admin/sample_views.h"
#include "broker/definitions.h"
#include "broker/topology.h"
#include "node/observe.h"

namespace weir::admin {

// What the definitions say of a queue, copied.
struct QueueFacts {
  broker::QueueDefinition definition;
  std::string policy, operator_policy;  // empty: none
  broker::Table effective_policy;       // what both say together
};
QueueFacts facts_of(const broker::Topology& topology, const broker::QueueDefinition& queue);

boost::json::object queue_view(const QueueFacts& queue, const std::string& node_name);

// With what was seen of it, and how it was.
struct SeenQueue {
  QueueFacts facts;
  node::QueueRow row;  // a queue may be too new to have one
  HistoryList histories;
};
SeenQueue seen_queue(const Call& call, const broker::QueueDefinition& queue, node::QueueRow row,
                     const SampleRanges& ranges);
boost::json::object seen_queue_view(const SeenQueue& queue, const std::string& node_name,
                                    std::uint64_t now_ms, const SampleRanges& ranges);

}  // namespace weir::admin
