// How a shard comes back after a stop: snapshot, journal, queues.
#include <fmt/format.h>

#include "base/log.h"
#include "node/shard.h"

namespace weir::node {

Status Shard::recover(const std::vector<broker::Change>& definitions) {
  bool snapshot_is_newest = true;
  if (options_.id.value == 0) {
    Result<storage::LoadedSnapshot> loaded =
        storage::load_newest_snapshot(at_.disk, options_.journal.directory);
    if (loaded) {
      Result<std::vector<broker::Change>> changes = broker::decode_changes(loaded->snapshot.contents);
      if (!changes) return std::unexpected(changes.error());
      apply(*changes);
      snapshot_lsn_ = loaded->snapshot.lsn;
      snapshot_generation_ = loaded->generation;
      snapshot_is_newest = !loaded->other_is_damaged;
    } else if (loaded.error().code != ErrorCode::not_found) {
      return fail(loaded.error().code, loaded.error().message + "; `weir store repair` makes a new one");
    }
  } else {
    apply(definitions);
  }
  Result<std::unique_ptr<storage::Journal>> journal =
      storage::Journal::open(at_.disk, options_.journal, *this, *this);
  if (!journal) return std::unexpected(journal.error());
  journal_ = std::move(*journal);
  host_.use_journal(*journal_);
  meta_.use_journal(*journal_);
  const storage::RecoveryReport& report = journal_->recovery();
  if (options_.id.value == 0) WEIR_TRY(require_definitions(report, snapshot_is_newest));
  host_.replayed(report.clean, report.seqs_end);
  if (meta_.newest_record() < snapshot_lsn_) meta_.set_newest_record(snapshot_lsn_);
  reclaimed_ = report.start;
  marked_ = journal_->end();
  log_info("store", "shard {}: {} records in {} batches of {} files, {} bytes of unconfirmed tail cut off{}",
           options_.id.value, report.records, report.batches, report.files, report.torn_bytes,
           report.clean || report.first_start ? "" : " (the last run did not end in order)");
  return {};
}

// Without the definition of a queue its messages would be taken for those of a deleted one, and given back for good.
Status Shard::require_definitions(const storage::RecoveryReport& report, bool snapshot_is_newest) const {
  const bool lost_in_log = report.definitions_lost_before > snapshot_lsn_;
  const bool lost_in_snapshot = !snapshot_is_newest && snapshot_lsn_ < report.start;
  if (!lost_in_log && !lost_in_snapshot) return {};
  return fail(
      ErrorCode::corrupt,
      fmt::format("{}: definitions may have been lost with {}; `weir store verify` tells more, `weir store "
                  "repair` goes on with what is left",
                  options_.journal.directory,
                  lost_in_log ? "what is damaged or missing in the journal" : "the newest snapshot"));
}

void Shard::on_record(const storage::Record& record, storage::Location location, Lsn lsn) {
  if (record.type != storage::RecordType::meta) return host_.replay(record, location, lsn);
  if (lsn < snapshot_lsn_) return;
  meta_.set_newest_record(Lsn{lsn.value + 1});
  Result<std::vector<broker::Change>> changes = broker::decode_changes(record.payload);
  if (!changes) {
    log_error("store", "a definition record at {} can't be read: {}", lsn.value, changes.error().message);
    return;
  }
  apply(*changes);
}

void Shard::on_damage(Lsn from, Lsn to, std::uint64_t records_lost) {
  log_error("store", "shard {}: bytes {} to {} of the journal are damaged; {} records are known to be lost",
            options_.id.value, from.value, to.value, records_lost);
  host_.replayed_damage(records_lost);
}

Status Shard::close() {
  host_.stop();
  // The loop goes on: nothing may be appended behind the clean end.
  at_.timers.cancel(riding_timer_);
  at_.timers.cancel(mark_timer_);
  at_.timers.cancel(flow_timer_);
  at_.timers.cancel(snapshot_timer_);
  at_.timers.cancel(background_timer_);
  at_.timers.cancel(alarm_timer_);
  at_.timers.cancel(sample_timer_);
  return journal_->close_clean();
}

}  // namespace weir::node
