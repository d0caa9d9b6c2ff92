// What it is: the journal on a Disk: the open batch, and the pieces that it is put together from: the files of the log,
// the memory of its tail, the commits on their way and what is read back.
// Shard, Lifetime, Errors: see storage/journal.h.
#pragma once

#include <cstdint>
#include <memory>

#include "storage/checkpoint_writer.h"
#include "storage/cleaner.h"
#include "storage/commit_queue.h"
#include "storage/journal.h"
#include "storage/log_files.h"
#include "storage/read_cache.h"
#include "storage/recovery.h"
#include "storage/scrubber.h"
#include "storage/segments.h"
#include "storage/tail_cache.h"

namespace weir::storage {

class DiskJournal final : public Journal, private CommitEvents, private LogFilesEvents {
 public:
  DiskJournal(runtime::Disk& disk, const JournalOptions& options, RecoveredLog recovered,
              JournalEvents& events);
  ~DiskJournal() override;
  Status start() { return files_.start(); }

  const RecoveryReport& recovery() const override { return report_; }
  Space append(RecordType type, std::uint8_t flags, QueueId queue, Seq seq, std::size_t extension_bytes,
               std::size_t payload_bytes, Urgency urgency) override;
  void finish() override;
  void begin_together(std::size_t bytes) override;
  Lsn end() const override { return Lsn{batch_lsn_.value + used_}; }
  Lsn durable() const override { return commits_.durable(); }
  Lsn batch_begin() const override { return batch_lsn_; }
  bool has_room(std::uint64_t record_bytes) const override;
  std::uint64_t pending_bytes() const override { return commits_.pending_bytes() + used_; }
  std::uint64_t commit_age_ms() const override { return commits_.age_ns() / 1'000'000; }
  void flush() override;
  void flush_riding() override;
  void write_mark() override;
  bool idle() const override { return used_ == 0 && commits_.idle(); }
  CachedRecord cached(Location location) override;
  void read(Location location, ReadWaiter& waiter) override;
  void cancel_read(ReadWaiter& waiter) override { read_cache_.cancel(waiter); }
  void retain(Location location, std::uint32_t count) override {
    LogFile& file = table_.at(location.slot());
    file.live += count;
    file.live_bytes += location.bytes() * count;
    file.dead_at = Lsn{};
  }
  void release(Location location, std::uint32_t count) override;
  Lsn reclaimable() const override {
    return segments_.empty() ? files_.reclaimable(durable()) : files_.start_lsn();
  }
  void reclaim(Lsn up_to, Seq seqs_end) override;
  void tend() override;
  bool wants_checkpoint() override;
  unsigned next_tend_ms() override;
  CheckpointWriter& begin_checkpoint() override;
  Status close_clean() override;
  Stats stats() const override;

 private:
  void open_batch(std::size_t span);
  void close_batch();
  void leave_file();
  void commit();
  bool settle();

  void on_committed(Lsn durable) override;
  void on_commit_failed(const Error& error) override;
  void on_file_ready() override { commits_.submit(); }
  Lsn laid_out() const override { return Lsn{batch_lsn_.value + limit_}; }
  void on_superblock_failed(const Error& error) override { on_commit_failed(error); }

  runtime::Disk& disk_;
  JournalEvents& events_;
  JournalOptions options_;
  RecoveryReport report_;
  FileTable table_;
  LogFiles files_;
  Segments segments_;
  Cleaner cleaner_;
  Scrubber scrubber_;
  CheckpointWriter checkpoint_;
  TailCache tail_;
  CommitQueue commits_;
  ReadCache read_cache_;

  // The open batch; without one, used_ and limit_ are 0 and the next one begins at batch_lsn_.
  std::byte* batch_ = nullptr;
  std::size_t used_ = 0;
  std::size_t limit_ = 0;
  Lsn batch_lsn_;
  std::uint32_t batch_records_ = 0;
  RecordCrcs batch_crc_;
  std::uint32_t batch_slot_ = 0;
  std::uint64_t batch_file_offset_ = 0;
  bool somebody_waits_ = false;  // for a record of the open batch

  std::byte* unfinished_ = nullptr;  // the record between append() and finish()
  std::size_t unfinished_span_ = 0;

  Lsn last_content_end_;  // of the last batch that is not a mark: write_mark() covers it
  bool failed_ = false;
  bool closed_ = false;
  Stats counts_;
};

}  // namespace weir::storage
