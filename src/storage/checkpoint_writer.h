// What it is: a checkpoint under way. First the shard tells it of its queues, over many turns (begin_queue, message); then
// finish(): when all that was appended until then is durable, the listings of the files that the log will leave behind are
// written, then the checkpoint, twice; then the log begins at `from`.
// Shard: of its journal, on its thread.
// Errors: one that can't be written is given up: nothing changed, and it is tried again after a while.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "runtime/disk.h"
#include "storage/checkpoint.h"
#include "storage/cleaner.h"
#include "storage/listing.h"
#include "storage/log_files.h"
#include "storage/segments.h"

namespace weir::storage {

class CheckpointWriter final : private runtime::IoRequest {
 public:
  CheckpointWriter(runtime::Disk& disk, std::string directory, FileTable& table, LogFiles& files,
                   Segments& segments, Cleaner& cleaner, const Clock& clock);
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  bool active() const { return stage_ != Stage::none; }
  // Not while the last one failed just now.
  bool may_begin() const;

  void begin();
  // All before it is told of by the queues; all from there on the log tells.
  Lsn from() const { return from_; }
  // `next`: the queue's next seq.
  void begin_queue(QueueId queue, Seq next);
  // In ascending order, each that is in the journal. `attributes`: at most 255 bytes.
  // True if a later walk need not tell of its place again.
  bool message(Seq seq, Location location, bool redelivered, std::uint32_t deliveries, Bytes attributes);
  // Many of them, each of which message() returned true of in the last walk that ended well.
  void messages(Seq first, std::uint64_t count, bool redelivered) {
    builder_.add(first, redelivered, 0, count);
  }
  // The cleaner asks for all of them.
  bool wants_each() const { return cleaner_.collects(); }
  // `end`: of the log.
  void finish(Lsn end);
  // At the end of a turn.
  void tend(Lsn durable);
  // Nothing more is written; what the disk has in hand stays there.
  void give_up();
  void stop() { stopped_ = true; }
  bool in_disk() const { return writing_; }

  std::uint64_t generation() const { return generation_; }
  std::uint64_t last_bytes() const { return last_bytes_; }
  std::uint64_t written() const { return written_; }

 private:
  enum class Stage : std::uint8_t { none, telling, waiting, listings, copies };
  struct OpenListing {
    Lsn file_start;
    ListingBuilder builder;
  };
  struct PendingListing {
    Lsn file_start;
    std::uint32_t slot;
    std::vector<std::byte> contents;
  };

  void on_io(std::int64_t result) override;
  void write_next();
  void listing_written(bool whole);
  void failed(std::int64_t result);
  void clear();

  runtime::Disk& disk_;
  std::string directory_;
  FileTable& table_;
  LogFiles& files_;
  Segments& segments_;
  Cleaner& cleaner_;
  const Clock& clock_;

  Stage stage_ = Stage::none;
  Lsn from_, to_;
  std::uint64_t generation_ = 0;
  QueueId queue_;
  CheckpointBuilder builder_;
  std::unordered_map<std::uint32_t, OpenListing> listings_;  // by slot
  std::deque<PendingListing> pending_;
  std::optional<PendingListing> listing_in_hand_;
  std::vector<std::byte> contents_;
  int copies_written_ = 0;
  bool writing_ = false;
  bool given_up_ = false;  // while the disk has something in hand
  bool stopped_ = false;
  std::uint64_t retry_at_ns_ = 0;
  std::uint64_t last_bytes_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace weir::storage
