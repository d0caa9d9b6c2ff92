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
constexpr std::size_t delayed_run_bytes = 24;  // the same, u64 until when, Unix ms
constexpr std::size_t runs_per_record_max = 64U << 10;

}  // namespace

void QueueHost::log_settled(Queue& queue) {
  if (queue.settled_runs.empty() && queue.requeued_runs.empty() && queue.counted_runs.empty() &&
      queue.delayed_runs.empty()) {
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

void QueueHost::log_counted_runs(QueueId queue, std::vector<broker::CountedRun>& runs, std::uint8_t flags) {
  const bool delayed = flags == storage::requeue_delayed;
  const std::size_t bytes = delayed ? delayed_run_bytes : counted_run_bytes;
  if (delayed) {
    Lsn& logged_from = retrying_[queue].from;
    logged_from = std::min(logged_from, journal_->batch_begin());
  }
  for (std::size_t from = 0; from < runs.size(); from += runs_per_record_max) {
    const std::size_t count = std::min(runs_per_record_max, runs.size() - from);
    const Journal::Space space = journal_->append(RecordType::requeue, flags, queue, runs[from].first, 0,
                                                  count * bytes, Journal::Urgency::ride);
    std::byte* at = space.bytes.data();
    for (std::size_t i = 0; i < count; ++i, at += bytes) {
      store_le(at, runs[from + i].first.value);
      store_le(at + 8, runs[from + i].count);
      store_le(at + 12, runs[from + i].returns);
      if (delayed) store_le(at + 16, runs[from + i].deliver_ms);
    }
    journal_->finish();
  }
  runs.clear();
}

void QueueHost::log_all_runs(Queue& queue, Journal::Urgency urgency) {
  if (!queue.counted_runs.empty()) log_counted_runs(queue.id(), queue.counted_runs, storage::requeue_counted);
  if (!queue.delayed_runs.empty()) log_counted_runs(queue.id(), queue.delayed_runs, storage::requeue_delayed);
  log_runs(RecordType::requeue, queue.id(), queue.requeued_runs);
  log_runs(RecordType::settle, queue.id(), queue.settled_runs, urgency);
}

// A checkpoint does not say until when a message waits that came back: what the log says of it before `up_to` is written
// again at its end. False: it must be durable first.
bool QueueHost::retries_let_go(Lsn up_to) {
  bool all = true;
  for (auto at = retrying_.begin(); at != retrying_.end();) {
    RetryLog& log = at->second;
    if (log.again_end != Lsn{0} && log.again_end <= journal_->durable()) {
      log.from = log.again_from;
      log.again_end = Lsn{0};
    }
    Queue* const of = queue(at->first);
    if (of == nullptr) {
      at = retrying_.erase(at);
      continue;
    }
    if (log.from >= up_to) {
      ++at;
      continue;
    }
    if (log.again_end == Lsn{0}) {
      std::vector<broker::CountedRun> runs;
      of->for_each_delayed_return([&](Seq seq, const broker::MessageAttributes& is) {
        if (!of->find(seq)->transient()) broker::add_to_runs(runs, {seq, 1, is.returns, is.deliver_ms});
      });
      if (runs.empty()) {
        at = retrying_.erase(at);
        continue;
      }
      log.again_from = journal_->batch_begin();
      log_counted_runs(at->first, runs, storage::requeue_delayed);
      log.again_end = journal_->end();
    }
    all = false;
    ++at;
  }
  return all;
}

}  // namespace weir::node
