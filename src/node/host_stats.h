// What it is: what the queues of a shard count together, since the start.
#pragma once

#include <cstdint>

namespace weir::node {

struct HostStats {
  std::uint64_t published = 0, delivered = 0, settled = 0, requeued = 0, rejected = 0, damaged = 0;
  std::uint64_t expired = 0, dropped = 0;  // dropped: for a limit of the queue
  std::uint64_t duplicates = 0, superseded = 0;
  std::uint64_t browsed = 0;      // deliveries to those who only look
  std::uint64_t renewed_ids = 0;  // blocks of them that were written again

  HostStats& operator+=(const HostStats& other) {
    published += other.published;
    delivered += other.delivered;
    settled += other.settled;
    requeued += other.requeued;
    rejected += other.rejected;
    damaged += other.damaged;
    expired += other.expired;
    dropped += other.dropped;
    duplicates += other.duplicates;
    superseded += other.superseded;
    browsed += other.browsed;
    renewed_ids += other.renewed_ids;
    return *this;
  }
};

}  // namespace weir::node
