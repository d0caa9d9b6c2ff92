// What it is: what is counted of a queue for those who look at it, from its first message or consumer's request on. It is
// kept by the node (node/queue_uses.cpp); a queue that nobody used has none.
#pragma once

#include <cstdint>

#include "base/counters.h"
#include "base/ids.h"
#include "base/meter.h"

namespace weir::broker {

// Since the start.
enum class QueueCount : std::uint8_t {
  publish,         // messages that it took
  deliver,         // to consumers that acknowledge
  deliver_no_ack,  // to those that don't
  get,
  get_no_ack,
  get_empty,
  ack,
  redeliver,   // of all that were delivered or got
  blocked_ms,  // messages were there, consumers too, and none of them could take more
  count,
};

struct QueueUse {
  struct Kept {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;  // with names, properties and what the store adds
  };

  Counters<QueueCount> counts;
  Kept kept[2];                 // those in the journal, and those in memory alone
  std::uint64_t out_bytes = 0;  // of them, of those that are out
  // A message and when it was received; of use while it is the oldest one.
  Seq known{UINT64_MAX};
  std::uint64_t known_ms = 0;
  std::uint64_t blocked_since_ms = 0;  // 0: it is not

  Meter<QueueCount> meter;
  bool metered = false;         // something has happened lately
  std::uint64_t active_ms = 0;  // wall clock: when something was last seen to have happened

  std::uint64_t bytes() const { return kept[0].bytes + kept[1].bytes; }
};

}  // namespace weir::broker
