// What it is: what reads the files over and over, slowly, and holds every batch and record to its checksum, so that damage is
// known while another copy of the data may still exist somewhere, and not when a consumer asks for it. A finding is told
// once; its file is marked, so that the cleaner leaves it alone. The message itself is set aside when it is delivered.
// One read at a time; none while a commit is slow.
// Shard: of its journal, on its thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "base/chunk.h"
#include "base/clock.h"
#include "base/ids.h"
#include "runtime/disk.h"
#include "storage/log_files.h"
#include "storage/record.h"
#include "storage/segments.h"

namespace weir::storage {

class Scrubber final : private runtime::IoRequest {
 public:
  struct Options {
    std::string directory;
    std::uint64_t bytes_per_second = 0;  // 0: off
    std::uint64_t interval_ms = 0;       // between the beginnings of two passes, at least
    std::uint32_t salt = 0;
  };
  Scrubber(runtime::Disk& disk, Options options, FileTable& table, LogFiles& files, Segments& segments,
           const Clock& clock);
  Scrubber(const Scrubber&) = delete;
  Scrubber& operator=(const Scrubber&) = delete;

  // At the end of a turn. `commit_age_ns`: of the oldest commit on its way; 0: there is none.
  void tend(Lsn durable, std::uint64_t commit_age_ns);
  // When to be called again; 0: it is off.
  unsigned next_tend_ms() const;
  void stop() { stopped_ = true; }
  bool in_disk() const { return reading_ != nullptr; }

  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t passes() const { return passes_; }
  std::uint64_t findings() const { return findings_; }

 private:
  // How far the check of a file has come: at a batch's header, at a record's, inside of a record, or in search of a header.
  struct Place {
    std::uint64_t at = 0;  // in the file: what is looked at next
    std::uint64_t batch_begin = 0, batch_end = 0;
    std::uint32_t records_left = 0, crc_records = 0;
    bool in_record = false;
    std::uint64_t record_begin = 0, record_end = 0, crc_end = 0;
    std::uint32_t crc_stored = 0, crc = 0;
    QueueId queue;
    Seq seq;
    bool ends_file = false;
    bool batch_is_bad = false;
    bool searching = false;
    bool second_try = false;  // of this batch
    RecordCrcs crcs;
  };

  LogFile* choose_file(Lsn durable);
  void begin_read();
  void on_io(std::int64_t result) override;
  void check(Bytes bytes, std::uint64_t begin);
  bool step(Bytes bytes, std::uint64_t begin);
  bool at_batch(Bytes rest);
  bool at_record(Bytes rest);
  bool inside_record(Bytes rest);
  bool end_record();
  bool end_batch();
  // False, as of all that calls it: once more from the batch's beginning.
  bool is_certain();
  void found(std::uint64_t at, std::uint64_t bytes, const std::string& what);

  runtime::Disk& disk_;
  Options options_;
  FileTable& table_;
  LogFiles& files_;
  Segments& segments_;
  const Clock& clock_;

  LogFile* reading_ = nullptr;
  LogFile* checked_ = nullptr;  // while what was read is looked at
  std::uint32_t slot_ = 0;      // of the file that is being checked ...
  Lsn file_start_;              // ... and which one it is
  bool in_file_ = false;
  Place place_;
  Lsn next_file_;  // the next one begins here or behind
  ChunkRef buffer_;
  std::uint64_t read_offset_ = 0;
  std::size_t read_bytes_ = 0;
  std::uint64_t not_before_ns_ = 0;
  std::uint64_t pass_began_ns_ = 0;
  bool in_pass_ = false;
  bool stopped_ = false;
  std::set<std::pair<std::uint64_t, std::uint64_t>> told_;  // file and place
  std::uint64_t bytes_ = 0, passes_ = 0, findings_ = 0;
};

}  // namespace weir::storage
