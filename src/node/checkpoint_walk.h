// What it is: the walk over a shard's queues that tells a checkpoint of their messages, a little in each turn.
// Shard: its own; steps are made when all that was settled is in the journal.
#pragma once

#include <cstddef>
#include <vector>

#include "base/ids.h"
#include "node/queue_host.h"
#include "storage/checkpoint_writer.h"

namespace weir::node {

class CheckpointWalk {
 public:
  CheckpointWalk(storage::CheckpointWriter& writer, QueueHost& host)
      : writer_(writer),
        host_(host),
        last_walk_(static_cast<std::uint32_t>(writer.written())),
        queues_(host.journaled_queues()) {}

  // True when all was told.
  bool step();
  storage::CheckpointWriter& writer() { return writer_; }

 private:
  std::size_t tell(broker::Queue& queue);
  std::size_t tell_chunk(broker::Queue& queue, Seq end);

  storage::CheckpointWriter& writer_;
  QueueHost& host_;
  std::uint32_t last_walk_;         // the number of the last one that ended well; this one's is the next
  std::vector<QueueId> queues_;     // left to tell of; the last one is being told of
  std::vector<std::byte> encoded_;  // scratch
  bool begun_ = false;
  Seq at_, end_;  // in it
};

}  // namespace weir::node
