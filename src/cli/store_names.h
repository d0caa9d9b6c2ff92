// What it is: the names of queues, as far as a data directory's definitions can be read.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "broker/topology.h"

namespace weir::cli {

class StoreNames {
 public:
  // Changes, encoded, in their order.
  void take(Bytes changes);
  // False: a queue that was deleted, or whose definition is lost.
  bool knows(QueueId queue) const { return queue == bodies_queue || topology_.find_queue(queue) != nullptr; }
  // For people.
  std::string of(QueueId queue) const;
  const broker::QueueDefinition* find(QueueId queue) const { return topology_.find_queue(queue); }
  const broker::Topology& topology() const { return topology_; }
  std::uint64_t unreadable() const { return unreadable_; }

 private:
  broker::Topology topology_;
  std::uint64_t unreadable_ = 0;  // records
};

// Definitions that were put together from what was left: with a queue "recovered-<id>" for each of these that has messages
// and no definition, and ids that are given from `highest` on.
std::vector<std::byte> with_recovered_queues(std::vector<std::byte> contents,
                                             const std::vector<std::pair<QueueId, ShardId>>& with_messages,
                                             QueueId highest);

}  // namespace weir::cli
