// What it is: what copies the messages that are still needed out of segments that are mostly empty, so that a message
// that nobody takes keeps its own bytes and not a file. A pass: victims are chosen; the walk of the next checkpoint tells
// which of their messages are left (add); these are read, put in the order of their queues into one new file, which is
// written with its listing; then the queues are told the new places. The victims are given back when a checkpoint names
// the new file: until then a crash finds everything where it was.
// Shard: of its journal, on its thread.
// Errors: what can't be read or written is given up, and tried again after a while: the victims stay as they are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/chunk.h"
#include "base/clock.h"
#include "base/ids.h"
#include "runtime/disk.h"
#include "storage/journal.h"
#include "storage/log_files.h"
#include "storage/segments.h"

namespace weir::storage {

class Cleaner final : private runtime::IoRequest {
 public:
  struct Options {
    std::string directory;
    std::uint64_t gain_bytes = 0;        // a pass gives back at least this; UINT64_MAX: there are none
    std::uint64_t file_bytes_max = 0;    // of what a pass writes
    std::uint64_t bytes_per_second = 0;  // that are read and written, about
    std::uint64_t survey_ns = 0;
    std::uint32_t incarnation = 0;
    std::uint32_t salt = 0;
  };
  Cleaner(runtime::Disk& disk, Options options, FileTable& table, LogFiles& files, Segments& segments,
          JournalEvents& events, const Clock& clock);
  ~Cleaner();
  Cleaner(const Cleaner&) = delete;
  Cleaner& operator=(const Cleaner&) = delete;

  // There is something worth a pass, and it is time for one.
  bool wants_pass() const { return wanted_ && stage_ == Stage::idle && !in_disk_ && !stopped_; }

  // --- with the walk of a checkpoint ---

  void choose_victims();
  bool collects() const { return stage_ == Stage::collecting; }
  // A message of a victim.
  void add(QueueId queue, Seq seq, Location location, Bytes attributes);
  void walk_ended(bool whole);

  // At the end of a turn.
  void tend();
  void stop() { stopped_ = true; }
  bool in_disk() const { return in_disk_; }
  bool active() const { return stage_ != Stage::idle; }
  bool is_on() const { return options_.gain_bytes != UINT64_MAX; }

  std::uint64_t passes() const { return passes_; }
  std::uint64_t moved_bytes() const { return moved_bytes_; }

 private:
  enum class Stage : std::uint8_t { idle, collecting, reading, writing, listing, moving };
  struct Survivor {
    QueueId queue;
    Seq seq;
    Location from;
    Location to;  // its slot is 0 until the file has one
    std::uint32_t attributes_at = 0;
    std::uint8_t attributes_bytes = 0;
  };

  std::uint64_t gain(const LogFile& file) const;
  void survey();
  void lay_out();
  void seal_batches();
  void read_next();
  void take_read(std::int64_t result);
  void write_file();
  void open_file();
  void write_listing();
  void move_some();
  void give_up(const char* what);
  void end_pass();
  void on_io(std::int64_t result) override;
  void spend(std::uint64_t bytes);

  runtime::Disk& disk_;
  Options options_;
  FileTable& table_;
  LogFiles& files_;
  Segments& segments_;
  JournalEvents& events_;
  const Clock& clock_;

  Stage stage_ = Stage::idle;
  std::vector<std::byte> attributes_;         // of the survivors
  std::vector<Survivor> survivors_;           // by queue and seq once they are laid out
  std::vector<std::uint32_t> by_place_;       // survivors whose records are copied, by slot and offset
  std::size_t next_read_ = 0, read_end_ = 0;  // in by_place_
  std::vector<std::byte> out_;
  struct Batch {
    std::size_t at, end;
  };
  std::vector<Batch> batches_;
  ChunkRef buffer_;
  LogFile* reading_ = nullptr;
  std::uint64_t read_offset_ = 0;
  std::size_t read_bytes_ = 0;
  std::unique_ptr<LogFile> made_;  // until segments_ has it
  LogFile* into_ = nullptr;        // while messages are moved
  std::uint64_t made_bytes_ = 0;
  std::size_t moved_ = 0;
  Lsn next_start_{cleaned_positions_begin};
  std::uint64_t surveyed_ns_ = 0;
  bool wanted_ = false;
  bool in_disk_ = false;
  bool stopped_ = false;
  std::uint64_t not_before_ns_ = 0;  // the rate, or the wait after an error
  std::uint64_t passes_ = 0, moved_bytes_ = 0;
};

}  // namespace weir::storage
