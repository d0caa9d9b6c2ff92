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
      : writer_(writer), host_(host), queues_(host.journaled_queues()) {}

  // True when all was told.
  bool step();
  storage::CheckpointWriter& writer() { return writer_; }

 private:
  storage::CheckpointWriter& writer_;
  QueueHost& host_;
  std::vector<QueueId> queues_;  // left to tell of; the last one is being told of
  bool begun_ = false;
  Seq at_, end_;  // in it
};

}  // namespace weir::node
