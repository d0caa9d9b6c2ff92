#include "node/transaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "broker/message.h"
#include "node/publish_batch.h"
#include "node/shard_session.h"
#include "storage/record.h"

namespace weir::node {

// Even when all of it is for one shard.
static_assert(limits::transaction_bytes_max + storage::batch_alignment <= storage::together_bytes_max);

std::size_t publish_journal_bytes(const broker::IncomingMessage& message, std::size_t targets) {
  const std::size_t records = targets / QueueHost::targets_per_record_max + 1;
  return records * storage::record_span_of(0, broker::envelope_bytes(message)) +
         targets * storage::shared_with_bytes + records * storage::record_alignment;
}

TransactionBatch& ShardTransaction::part(ShardId shard) {
  auto& part = parts_[shard.value];
  if (part == nullptr) part = std::make_unique<TransactionBatch>();
  return *part;
}

Status ShardTransaction::charge(std::size_t bytes) {
  if (bytes > limits::transaction_bytes_max - bytes_) {
    return fail(ErrorCode::limit_exceeded,
                fmt::format("the transaction is larger than {} bytes", limits::transaction_bytes_max));
  }
  bytes_ += bytes;
  return {};
}

Result<PublishResult> ShardTransaction::publish(const Publish& publish, OnShards* on) {
  if (publish.message.body_bytes > storage::whole_body_bytes_max) {
    return fail(ErrorCode::limit_exceeded,
                fmt::format("in a transaction a message may have {} bytes", storage::whole_body_bytes_max));
  }
  const Result<std::span<const broker::Target>> route = session_.find_route(publish);
  if (!route) return std::unexpected(route.error());
  std::size_t bytes = 0;
  session_.for_each_part(
      publish, *route,
      [&](ShardId, std::span<const broker::Target> targets, const broker::IncomingMessage& message) {
        bytes += sizeof(PublishItem) + publish_journal_bytes(message, targets.size()) + targets.size_bytes();
      });
  WEIR_TRY(charge(bytes));
  session_.count_publish(publish, *route);
  session_.for_each_part(
      publish, *route,
      [&](ShardId shard, std::span<const broker::Target> targets, const broker::IncomingMessage& message) {
        if (on != nullptr) {
          if (on->skip[shard.value]) return;
          const bool lasts =
              std::any_of(targets.begin(), targets.end(), [](const auto& one) { return one.durable; });
          if (lasts && message.persistent) on->durable[shard.value] = true;
        }
        TransactionBatch& to = part(shard);
        // Copied: it may lie here for long.
        add_publish(to.publishes, {}, message, nullptr, targets);
        to.body_bytes += message.body_bytes;
      });
  return ShardSession::reached(*route);
}

Status ShardTransaction::settle(ConsumerNumber consumer, QueueId queue, Seq seq, Outcome outcome) {
  const std::optional<ShardId> shard = session_.shard_of_queue(queue);
  if (!shard) return {};  // the queue has gone, and the message with it
  WEIR_TRY(charge(settle_journal_bytes + settle_item_journal_bytes));
  std::vector<SettleItem>& items = part(*shard).settles;
  if (!extends(items, session_.id(), consumer, queue, seq, outcome)) {
    items.push_back({session_.id(), consumer, queue, seq, 1, outcome});
    return {};
  }
  ++items.back().count;
  bytes_ -= settle_item_journal_bytes;
  return {};
}

}  // namespace weir::node
