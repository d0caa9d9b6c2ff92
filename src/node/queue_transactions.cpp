// Transactions: a session's publishes and settlements that take effect together.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "node/publish_batch.h"
#include "node/queue_host.h"
#include "node/transaction.h"

namespace weir::node {

using broker::Queue;
using storage::Journal;

namespace {

bool has_runs(const Queue& queue) {
  return !queue.settled_runs.empty() || !queue.requeued_runs.empty() || !queue.counted_runs.empty() ||
         !queue.delayed_runs.empty();
}

std::size_t journal_bytes(const TransactionBatch& batch) {
  std::size_t bytes = 0;
  for (const PublishItem& item : batch.publishes.items) {
    if (!item.persistent && item.extras_bytes == 0) continue;  // what queues recognise it by lasts
    const BatchedMessage message(batch.publishes, item);
    bytes += publish_journal_bytes(message.view(), item.targets);
  }
  for (const SettleItem& item : batch.settles) {
    bytes += settle_item_journal_bytes + settle_journal_bytes * item.count;
  }
  return bytes;
}

}  // namespace

// Returns what must be durable for it.
Lsn QueueHost::settle_together(const std::vector<SettleItem>& items) {
  std::vector<broker::Entry> kept;
  kept_bytes_ = &kept;
  for (const SettleItem& item : items) settle(item);
  kept_bytes_ = nullptr;
  Lsn needed{0};
  for (const SettleItem& item : items) {
    Queue* const of = queue(item.queue);
    if (of == nullptr || !has_runs(*of)) continue;
    log_all_runs(*of, Journal::Urgency::wait);
    needed = journal_->end();
  }
  if (!kept.empty()) late_releases_.push_back({needed, std::move(kept)});
  return needed;
}

void QueueHost::commit(const TransactionBatch& batch) {
  PublishAck ack{batch.session, batch.publisher, batch.seq, batch.body_bytes, 0};
  const std::size_t bytes = journal_bytes(batch);
  if (!batch.publishes.items.empty() && !journal_->has_room(bytes)) {
    ++stats_.rejected;
    ack.rejected = batch.seq;
    for (SettleItem item : batch.settles) {
      item.outcome = Outcome::requeue;
      settle(item);
    }
    return ack_order_.add(Lsn{0}, ack, turn_);
  }
  // What was settled before must not take the room of what is now.
  for (const SettleItem& item : batch.settles) {
    if (Queue* const of = queue(item.queue)) log_all_runs(*of);
  }
  if (bytes > 0) journal_->begin_together(bytes);
  const Lsn begin = journal_->batch_begin();
  Lsn needed{0};
  for (const PublishItem& item : batch.publishes.items) {
    const BatchedMessage message(batch.publishes, item);
    const Taken taken = take(targets_of(batch.publishes, item), message.view(), batch.session);
    needed = std::max(needed, taken.needed);
    if (taken.refused) ack.rejected = batch.seq;
  }
  needed = std::max(needed, settle_together(batch.settles));
  WEIR_ASSERT(bytes == 0 || journal_->batch_begin() == begin);
  ack_order_.add(needed, ack, turn_);
}

}  // namespace weir::node
