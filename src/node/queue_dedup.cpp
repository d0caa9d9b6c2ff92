// Queues that drop what they have seen: their windows of ids, and what the journal must keep for these.
#include "base/log.h"
#include "node/queue_host.h"

namespace weir::node {

using broker::DedupWindow;
using broker::Queue;
using storage::Journal;
using storage::RecordType;

namespace {

// So much log for each byte of ids: they are written again when it has passed.
constexpr std::uint64_t log_per_id_byte = 4;
// While the log waits for ids to leave their windows, it is looked at so often.
constexpr std::uint64_t look_again_ms = 100;

}  // namespace

// Dead letters are never taken for something that was seen: a message that went around comes back.
bool QueueHost::was_seen(Queue& to, const std::optional<broker::DedupId>& id) {
  if (!id || !to.seen->contains(*id, wall_ms_)) return false;
  ++stats_.duplicates;
  return true;
}

// Its message has come.
void QueueHost::note_seen(Queue& to, Seq seq, const broker::DedupId& id) {
  const Lsn lsn = to.options().journaled ? before_message_ : Lsn{UINT64_MAX};
  to.seen->add({.id = id, .seq = seq, .at_ms = wall_ms_, .lsn = lsn});
}

void QueueHost::replay_seen(Queue& of, const storage::Record& record, Lsn lsn) {
  if (of.seen == nullptr) return;
  const bool whole = DedupWindow::decode_block(record.payload, [&](DedupWindow::Seen seen) {
    seen.lsn = lsn;
    of.seen->learn(seen);
  });
  if (!whole) log_error("store", "ids that queue {} has seen can't be read", record.queue.value);
}

bool QueueHost::lets_go(Lsn up_to, bool now) {
  if (marks_.oldest(wall_ms_) < up_to || !retries_let_go(up_to)) return false;
  if (deduplicating_.empty() || (!now && wall_ms_ < look_at_windows_ms_)) return deduplicating_.empty();
  const Lsn durable = journal_->durable();
  Lsn oldest{UINT64_MAX};
  std::uint64_t bytes = 0;
  std::erase_if(deduplicating_, [&](QueueId id) {
    Queue* const of = queue(id);
    if (of == nullptr) return true;
    oldest = std::min(oldest, of->seen->oldest(durable, wall_ms_));
    bytes += of->seen->bytes();
    return false;
  });
  if (oldest >= up_to) return true;
  look_at_windows_ms_ = wall_ms_ + look_again_ms;
  const std::uint64_t kept = journal_->end().value - oldest.value;
  if (now || kept > std::max(log_kept_for_ids_, log_per_id_byte * bytes)) renew_windows(up_to);
  return false;
}

// The ids that stand in the log before `before` are written at its end. When that is durable, the log may go on.
void QueueHost::renew_windows(Lsn before) {
  for (const QueueId id : deduplicating_) {
    queue(id)->seen->renew(before, journal_->durable(), [&](Seq first, Bytes payload) {
      const Lsn begin = journal_->batch_begin();
      const Journal::Space space =
          journal_->append(RecordType::remember, 0, id, first, 0, payload.size(), Journal::Urgency::ride);
      std::copy(payload.begin(), payload.end(), space.bytes.begin());
      journal_->finish();
      ++stats_.renewed_ids;
      return DedupWindow::Written{begin, journal_->end()};
    });
  }
}

}  // namespace weir::node
