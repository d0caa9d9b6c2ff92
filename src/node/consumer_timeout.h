// What it is: how long the consumers of a queue may take to acknowledge, for front-ends.
#pragma once

#include <cstdint>

#include "broker/definitions.h"
#include "broker/queue_options.h"
#include "broker/topology.h"

namespace weir::node {

// 0: as the server has it.
inline std::uint64_t consumer_timeout_ms(const broker::Topology& topology,
                                         const broker::QueueDefinition& queue) {
  return broker::consumer_timeout_ms(topology.effective_arguments(queue));
}

}  // namespace weir::node
