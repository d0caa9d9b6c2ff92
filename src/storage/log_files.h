// What it is: the files of one journal: the window [start, end) of the log, the next files made ready ahead of need,
// and what becomes of files that the log has left behind. A file is `j-<its first LSN>.log`; the next one begins where
// it ends, so its name is known ahead. A file of this name before the log's start is a spare: it is renamed to the next
// name (recycled) instead of making a new one, because new zeros cost a real write.
// Shard: of its journal, on its thread.
// Errors: a file that can't be made is not final: has_failed() says so, and it is tried again.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/chunk.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "runtime/disk.h"
#include "storage/location.h"
#include "storage/log_file.h"
#include "storage/superblock.h"

namespace weir::storage {

// Of the slots, for what is settled after publishes are refused.
inline constexpr std::size_t slots_reserve = 64;

struct SpareFile {
  std::string path;
  std::uint64_t bytes = 0;
};

// Ascending files: the window of the log, then those ready ahead; all open, in the slots of their places.
struct LogFileSet {
  std::vector<LogFile> files;
  std::size_t append_index = 0;  // the file that the log ends in
  std::vector<SpareFile> spares;
  Superblock superblock;
};

std::string log_file_path(const std::string& directory, Lsn start);
std::string cleaned_file_path(const std::string& directory, Lsn start);

class LogFilesEvents {
 public:
  virtual void on_file_ready() = 0;
  // The log's files must hold all before this: closed batches and the open one with its room.
  virtual Lsn laid_out() const = 0;
  // The superblock could not be written: as final as a failed commit.
  virtual void on_superblock_failed(const Error& error) = 0;

 protected:
  ~LogFilesEvents() = default;
};

class LogFiles {
 public:
  struct Options {
    std::string directory;
    std::uint64_t first_file_bytes = 0;
    std::uint64_t file_bytes_max = 0;
    const Clock* clock = nullptr;  // never null: when to try again what failed
  };
  LogFiles(runtime::Disk& disk, Options options, FileTable& table, LogFileSet found, LogFilesEvents& events);
  ~LogFiles();
  LogFiles(const LogFiles&) = delete;
  LogFiles& operator=(const LogFiles&) = delete;

  // Opens the superblock for writing in place and begins to make the next file.
  Status start();

  // --- the window ---

  LogFile& append_file() { return *files_[append_index_]; }
  const LogFile& append_file() const { return *files_[append_index_]; }
  Lsn start_lsn() const { return files_.front()->start; }
  // The log goes on in the next file, which may not be ready yet; one that is not begun is made for `record_bytes`.
  void advance(std::uint64_t record_bytes);

  // --- background work ---

  // Now and then: tries again what failed; gives back spare files that a log that has become quiet does not need.
  void tick();
  // tick() has something to give back later.
  bool has_surplus() const { return spares_.size() > spares_when_quiet; }
  bool has_failed() const { return failed_; }
  // Something is being written, made, renamed or removed.
  bool busy() const { return making_ || superblock_busy_ || removing_; }
  // Made ready beyond the file that the log ends in.
  std::uint64_t ready_ahead_bytes() const;
  void stop() { stopped_ = true; }

  // --- liveness ---

  Lsn reclaimable(Lsn durable) const;
  void reclaim(Lsn up_to, Lsn durable);
  // A checkpoint of this generation is on the disk: the log begins at `from`, the start of a file. The files before it that are
  // not dead by `durable` become segments: (std::unique_ptr<LogFile>).
  template <typename F>
  void begin_at_checkpoint(Lsn from, std::uint64_t generation, Lsn durable, F&& segment);
  // Everything that was released is in the log before `end`.
  void note_dead(Lsn end) {
    for (std::size_t i = 0; i < append_index_ && files_[i]->live == 0; ++i) {
      if (files_[i]->dead_at == Lsn{}) files_[i]->dead_at = end;
    }
  }
  // Checkpoints below this generation say nothing any more.
  void void_checkpoints(std::uint64_t below_generation);
  // What both superblock files say.
  Lsn recorded_start() const { return recorded_start_; }
  // Those before `lsn` without a listing: (LogFile&).
  template <typename F>
  void for_each_unlisted(Lsn lsn, F&& visit);
  // All before `lsn`: (LogFile&).
  template <typename F>
  void for_each_before(Lsn lsn, F&& visit);
  // Nothing needs the segment any more: its name and room can be used again.
  void give_back(LogFile& segment) {
    dispose(segment);
    tend();
  }
  // In the background.
  void remove_file(std::string path) { unwanted_.push_back(std::move(path)); }
  void end_read(LogFile& file);

  Superblock& superblock() { return superblock_; }
  void set_durable(Lsn durable) { durable_ = durable; }
  std::uint64_t count() const { return append_index_ + 1; }
  // Locations can name no more files.
  bool window_full() const { return table_.used() >= slots_max - slots_reserve; }
  std::uint64_t log_bytes() const { return append_end_value() - files_.front()->start.value; }

 private:
  // One lane of background work: its completion is a member function.
  struct Operation final : runtime::IoRequest {
    LogFiles* owner = nullptr;
    void (LogFiles::*done)(std::int64_t) = nullptr;
    void on_io(std::int64_t result) override { (owner->*done)(result); }
  };

  std::uint64_t append_end_value() const { return files_[append_index_]->end().value; }
  std::size_t first_not_ready() const;
  void tend();
  void plan(std::uint64_t bytes_least);
  void choose_source(LogFile& file, std::uint64_t bytes_least);
  void make_next();
  void on_made(std::int64_t result);
  void making_failed(LogFile& file, const Error& error);
  std::uint64_t used_bytes(const LogFile& file) const;
  bool use_spare(LogFile& file);
  bool shrink(LogFile& file);
  void write_superblock();
  void on_superblock_written(std::int64_t result);
  void remove_outdated_listings();
  void dispose_retired();
  static constexpr std::size_t spares_when_quiet = 1;

  void retire_front();
  void keep_spares(std::size_t most);
  void dispose(LogFile& file);
  void remove_next();
  void on_removed(std::int64_t result);

  runtime::Disk& disk_;
  Options options_;
  LogFilesEvents& events_;
  FileTable& table_;
  std::deque<std::unique_ptr<LogFile>> files_;
  std::size_t append_index_ = 0;
  std::uint64_t next_bytes_;  // the size of the next file that is made
  std::uint64_t rolls_ = 0;
  std::vector<SpareFile> spares_;
  std::deque<std::unique_ptr<LogFile>>
      retired_;  // before the start; reused once the superblock says so durably
  std::vector<std::string> unwanted_;
  std::vector<std::string> outdated_listings_;  // of files that were given back since the start was recorded

  Superblock superblock_;
  Lsn durable_;
  Lsn recorded_start_;
  bool superblock_changed_ = false;
  runtime::FileHandle superblock_files_[2] = {runtime::no_file, runtime::no_file};
  ChunkRef superblock_block_;
  int superblock_copies_left_ = 0;

  Operation make_operation_;
  Operation superblock_operation_;
  Operation remove_operation_;
  bool making_ = false;
  bool superblock_busy_ = false;
  bool removing_ = false;
  bool failed_ = false;
  bool stopped_ = false;
  std::uint64_t rolled_ns_ = 0;    // when the log went on in another file
  std::uint64_t retry_at_ns_ = 0;  // 0: nothing failed, or it is being tried again
  std::uint64_t retry_wait_ns_ = 0;
};

template <typename F>
void LogFiles::begin_at_checkpoint(Lsn from, std::uint64_t generation, Lsn durable, F&& segment) {
  WEIR_ASSERT(from <= append_file().start);
  while (files_.front()->start < from) {
    if (files_.front()->dead(durable)) {
      retire_front();
      continue;
    }
    WEIR_ASSERT(files_.front()->listed);
    files_.front()->segment = true;
    segment(std::move(files_.front()));
    files_.pop_front();
    --append_index_;
  }
  superblock_.checkpoint = generation;
  superblock_.has_checkpoint = true;
  superblock_changed_ = true;
  tend();
}

template <typename F>
void LogFiles::for_each_before(Lsn lsn, F&& visit) {
  for (const auto& file : files_) {
    if (file->end() > lsn) return;
    visit(*file);
  }
}

template <typename F>
void LogFiles::for_each_unlisted(Lsn lsn, F&& visit) {
  for_each_before(lsn, [&](LogFile& file) {
    if (!file.listed) visit(file);
  });
}

}  // namespace weir::storage
