// What it is: puts a publish into the batch for the shard of its queues.
#pragma once

#include <span>

#include "node/outbox.h"
#include "node/queue_host.h"

namespace weir::node {

// `chunk`: where the body's pieces lie; null if they do not lie in one.
void add_publish(PublishBatch& batch, const Origin& origin, const broker::IncomingMessage& message,
                 Chunk* chunk, std::span<const broker::Target> targets);

}  // namespace weir::node
