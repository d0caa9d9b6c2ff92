// What was settled and what came back, on its way into the journal: gathered in runs, written at the end of the turn.
#include <algorithm>

#include "node/queue_host.h"

namespace weir::node {

using broker::Queue;
using storage::Journal;
using storage::RecordType;

namespace {

constexpr std::size_t run_bytes = 12;          // u64 first, u32 count
constexpr std::size_t counted_run_bytes = 16;  // u64 first, u32 count, u32 returns
constexpr std::size_t runs_per_record_max = 64U << 10;

}  // namespace

void QueueHost::log_settled(Queue& queue) {
  if (queue.settled_runs.empty() && queue.requeued_runs.empty() && queue.counted_runs.empty()) {
    to_log_.push_back(queue.id());
  }
}

void QueueHost::log_runs(RecordType type, QueueId id, std::vector<std::pair<Seq, std::uint32_t>>& runs,
                         Journal::Urgency urgency) {
  for (std::size_t from = 0; from < runs.size(); from += runs_per_record_max) {
    const std::size_t count = std::min(runs_per_record_max, runs.size() - from);
    const Journal::Space space =
        journal_->append(type, 0, id, runs[from].first, 0, count * run_bytes, urgency);
    std::byte* at = space.bytes.data();
    for (std::size_t i = 0; i < count; ++i, at += run_bytes) {
      store_le(at, runs[from + i].first.value);
      store_le(at + 8, runs[from + i].second);
    }
    journal_->finish();
  }
  runs.clear();
}

void QueueHost::log_counted_runs(Queue& queue) {
  auto& runs = queue.counted_runs;
  for (std::size_t from = 0; from < runs.size(); from += runs_per_record_max) {
    const std::size_t count = std::min(runs_per_record_max, runs.size() - from);
    const Journal::Space space =
        journal_->append(RecordType::requeue, storage::requeue_counted, queue.id(), runs[from].first, 0,
                         count * counted_run_bytes, Journal::Urgency::ride);
    std::byte* at = space.bytes.data();
    for (std::size_t i = 0; i < count; ++i, at += counted_run_bytes) {
      store_le(at, runs[from + i].first.value);
      store_le(at + 8, runs[from + i].count);
      store_le(at + 12, runs[from + i].returns);
    }
    journal_->finish();
  }
  runs.clear();
}

void QueueHost::log_all_runs(Queue& queue, Journal::Urgency urgency) {
  if (!queue.counted_runs.empty()) log_counted_runs(queue);
  log_runs(RecordType::requeue, queue.id(), queue.requeued_runs);
  log_runs(RecordType::settle, queue.id(), queue.settled_runs, urgency);
}

}  // namespace weir::node
