// What it is: publishes on their way to the shard of their queues: into a batch, and out of it.
#pragma once

#include <span>

#include "node/outbox.h"
#include "node/queue_host.h"

namespace weir::node {

// `chunk`: where the body's pieces lie; null if they do not lie in one. `body`: what of it was sent before.
void add_publish(PublishBatch& batch, const Origin& origin, const broker::IncomingMessage& message,
                 Chunk* chunk, std::span<const broker::Target> targets, BodyNumber body = no_body);

// A piece of a large body (null: it is copied), and that no more messages come for a body. `origin.seq` is 0.
void add_body_piece(PublishBatch& batch, const Origin& origin, BodyNumber body, const Bytes& piece,
                    Chunk* chunk);
void add_body_end(PublishBatch& batch, SessionId session, BodyNumber body);

inline std::span<const broker::Target> targets_of(const PublishBatch& batch, const PublishItem& item) {
  return std::span(batch.targets).subspan(item.first_target, item.targets);
}

// A message of a batch; it views into the batch and into itself.
class BatchedMessage {
 public:
  BatchedMessage(const PublishBatch& batch, const PublishItem& item);
  BatchedMessage(const BatchedMessage&) = delete;
  BatchedMessage& operator=(const BatchedMessage&) = delete;

  const broker::IncomingMessage& view() const { return message_; }

 private:
  broker::IncomingMessage message_;
  Bytes copied_;  // the body, where it lies in the batch's text
};

}  // namespace weir::node
