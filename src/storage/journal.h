// What it is: one shard's journal: an endless log in recycled, pre-written files, with group commit.
// Records are appended to the open batch in memory; flush() hands the batch to the disk when one of the two places in
// flight is free, else it goes on growing: that is the group commit, and there is no timer. A batch's memory stays
// afterwards as the tail cache, so that consumers who keep up never read the disk.
// Shard: one per shard, on its thread.
// Errors: a failed or short write is final: on_failed comes, nothing is confirmed any more (never retry a sync).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/chunk.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/log_histogram.h"
#include "runtime/disk.h"
#include "storage/checkpoint.h"
#include "storage/listing.h"
#include "storage/location.h"
#include "storage/record.h"

namespace weir::storage {

struct JournalOptions {
  std::string directory;                        // exists; of this shard alone
  std::uint64_t first_file_bytes = 8U << 20;    // sizes double from here ...
  std::uint64_t file_bytes_max = 128U << 20;    // ... to here, as the log grows; a small log stays small
  std::uint64_t cache_bytes = 32U << 20;        // tail cache
  std::uint64_t read_cache_bytes = 16U << 20;   // windows read back from the disk
  std::uint64_t checkpoint_bytes = 128U << 20;  // of log that a start may have to read, about
  std::uint64_t clean_gain_bytes = 64U << 20;   // what a pass of the cleaner gives back at least
  std::uint64_t clean_file_bytes = 16U << 20;   // what it writes at most, and has in memory
  std::uint64_t clean_bytes_per_second = 128U << 20;
  std::uint64_t scrub_bytes_per_second =
      0;  // that are read to see whether they still hold their checksums; 0: none
  std::uint64_t scrub_interval_ms =
      600'000;                     // from the beginning of one pass over all files to that of the next
  unsigned clean_survey_ms = 500;  // how often it looks which files are worth it
  std::uint64_t batch_bytes_max = 1U << 20;  // a batch is closed beyond it (a larger record has its own)
  unsigned commits_in_flight_max = 2;        // 1 to 8
  std::uint64_t commit_age_max_ms = 30'000;  // a disk that takes longer has failed
  std::uint64_t random_seed = 0;  // becomes the journal's identity when it is made; should be random
  const Clock* clock = nullptr;   // never null; for the times in Stats and for trying again
};

class JournalEvents {
 public:
  // All before `up_to` is on stable storage. Ascending; from Disk::poll.
  virtual void on_durable(Lsn up_to) = 0;
  virtual void on_journal_failed(const Error& error) = 0;
  // The cleaner has copied a message. True if it is still there and at `from`: it is at `to` from now on, and what was
  // retained there is retained here.
  virtual bool on_moved(QueueId queue, Seq seq, Location from, Location to) = 0;

 protected:
  ~JournalEvents() = default;
};

// Gets every record that was found, in order, but for marks. The views live during the call.
class ReplayVisitor {
 public:
  virtual void on_record(const Record& record, Location location, Lsn lsn) = 0;
  // Bytes that were known durable don't hold their checksum: `records_lost` of them, if it can be known, else 0.
  // Those that could be saved came before this. Where a disk lost a write, an old enqueue can be among them: one whose seq
  // does not ascend in its queue is to be ignored.
  virtual void on_damage(Lsn from, Lsn to, std::uint64_t records_lost) = 0;

  // Before all records, if there is a checkpoint (storage/checkpoint.h): which messages of a queue were there, then the
  // queue's next seq, ...
  virtual void on_messages(QueueId queue, const CheckpointRun& run) = 0;
  virtual void on_queue(QueueId queue, Seq next) = 0;
  // ... and where they are, in files that the log has left behind. Also of messages that are not there any more.
  virtual void on_listed(const ListedMessage& message, Location location) = 0;

 protected:
  ~ReplayVisitor() = default;
};

struct RecoveryReport {
  bool first_start = false;
  bool clean = false;  // the last run ended with close_clean()
  Lsn start, end;
  Seq seqs_end;  // what was given and is nowhere in the journal is below it
  std::uint32_t incarnation = 0;
  std::uint64_t records = 0, batches = 0, files = 0;
  std::uint64_t torn_bytes = 0;  // unconfirmed tail that was cut off
  std::uint64_t damaged_bytes = 0;
  std::uint64_t records_lost = 0;  // for certain
  Lsn definitions_lost_before;     // what is lost before it may have been of definitions; 0: nothing was
  std::uint64_t segments = 0,
                listed = 0;  // files besides the log, and the messages that their listings told of
};

// A record in memory. `chunk` keeps it alive: add a reference to hold it beyond the call.
struct CachedRecord {
  const std::byte* at = nullptr;  // its header; null: not in memory
  Chunk* chunk = nullptr;
};

// Waits for one read. Lifetime: in place until on_read. cancel by Journal::cancel_read.
class ReadWaiter {
 public:
  // The record's CRC was checked; that it is the one that was meant, its queue and seq tell. View it by parse_record().
  // corrupt or io_error: it is lost (tried twice).
  virtual void on_read(Result<CachedRecord> record) = 0;

 protected:
  ~ReadWaiter() = default;
};

class CheckpointWriter;

class Journal {
 public:
  // Waits for what the disk still has in hand. Nothing that was not flushed is written.
  virtual ~Journal() = default;

  // Recovers what is there: reads superblock and files, replays every record into `visitor`, cuts off a torn tail,
  // begins a new incarnation durably. Blocking. corrupt, io_error, no_space.
  static Result<std::unique_ptr<Journal>> open(runtime::Disk& disk, JournalOptions options,
                                               ReplayVisitor& visitor, JournalEvents& events);
  virtual const RecoveryReport& recovery() const = 0;

  // --- append ---

  // Room for a record in the open batch. Fill `bytes` (extension, then payload), then call finish() before anything else.
  struct Space {
    MutableBytes bytes;
    Location location;
  };
  // Somebody waits for it (commit soon), or it may ride with what comes next (settlements).
  enum class Urgency : std::uint8_t { wait, ride };
  virtual Space append(RecordType type, std::uint8_t flags, QueueId queue, Seq seq,
                       std::size_t extension_bytes, std::size_t payload_bytes, Urgency urgency) = 0;
  virtual void finish() = 0;
  // What is appended from here on, up to so many bytes of records (record_span_of), becomes durable together: after a
  // crash all of it is there, or nothing. At most together_bytes_max.
  virtual void begin_together(std::size_t bytes) = 0;
  // What must be durable for all that was appended until now.
  virtual Lsn end() const = 0;
  virtual Lsn durable() const = 0;
  // What was appended from here on becomes durable together.
  virtual Lsn batch_begin() const = 0;
  // False when the next file could not be made (disk full): publishes must be refused. Settlements still fit.
  // `record_bytes`: of the publish in question, where it is known.
  virtual bool has_room(std::uint64_t record_bytes = 0) const = 0;
  // Bytes appended that are not yet durable: what back-pressure looks at.
  virtual std::uint64_t pending_bytes() const = 0;

  // How long the oldest commit has been with the disk; 0: none is.
  virtual std::uint64_t commit_age_ms() const = 0;

  // At the end of each turn. Begins a commit if somebody waits and a place is free. The caller submits to the disk.
  virtual void flush() = 0;
  // The same for records that only ride; the shard calls it from a timer of a few milliseconds.
  virtual void flush_riding() = 0;
  // Nothing waits and nothing was appended for a while: writes a mark, so that the last commit is known durable.
  virtual void write_mark() = 0;
  virtual bool idle() const = 0;  // nothing appended that is not durable

  // --- read ---

  virtual CachedRecord cached(Location location) = 0;
  // For what cached() does not have. Several waiters on one window cost one read. Completes from Disk::poll, never inside
  // the call.
  virtual void read(Location location, ReadWaiter& waiter) = 0;
  virtual void cancel_read(ReadWaiter& waiter) = 0;

  // --- liveness: a file whose records are all released can be reused, oldest first ---

  virtual void retain(Location location, std::uint32_t count = 1) = 0;
  virtual void release(Location location, std::uint32_t count = 1) = 0;
  // All before it is durable and released. Meta records must be in a snapshot (storage/snapshot.h) up to it before reclaim().
  virtual Lsn reclaimable() const = 0;
  // Makes the new start durable, and with it that all seqs that were given are below `seqs_end`, which nothing else may tell
  // of then; recycles or removes the files after that. Asynchronous.
  virtual void reclaim(Lsn up_to, Seq seqs_end) = 0;

  // At the end of each turn, when all that was released is in the log too: gives back what nothing needs any more.
  virtual void tend() = 0;

  // --- checkpoints: a start reads the log from the last one on, and of what is before it only what is needed ---

  // The log has grown, and something in its oldest file is still needed.
  virtual bool wants_checkpoint() = 0;
  // When tend() is to be called again though nothing happens; 0: never.
  virtual unsigned next_tend_ms() = 0;
  // Begins one, to be told of the queues and then to be finished. Messages of definitions before its from() must be in a
  // snapshot before it is finished.
  virtual CheckpointWriter& begin_checkpoint() = 0;

  // Flushes everything and writes that the end was clean. Blocking; nothing is appended afterwards.
  virtual Status close_clean() = 0;

  struct Stats {
    std::uint64_t commits = 0, bytes_written = 0, records = 0, padding_bytes = 0;
    std::uint64_t reads = 0, read_bytes = 0, cache_hits = 0, cache_misses = 0;
    std::uint64_t files = 0, log_bytes = 0, cache_bytes = 0;
    std::uint64_t segments = 0, segment_bytes = 0, checkpoints = 0;
    std::uint64_t clean_passes = 0, clean_moved_bytes = 0;
    std::uint64_t scrub_passes = 0, scrubbed_bytes = 0, scrub_findings = 0;
    std::uint64_t scrub_reads_in_disk = 0;  // at this moment
    std::uint64_t commit_ns_total = 0, commit_ns_max = 0;
    LogHistogram commit_us, commit_bytes;  // a commit is written and synced in one
  };
  virtual Stats stats() const = 0;
};

}  // namespace weir::storage
