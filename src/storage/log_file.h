// What it is: one file of records, and the table by which a Location's slot names it. Files of the log's window and
// segments (what the window has left behind and is still needed) are in the same table.
// Shard: of its journal, on its thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/ids.h"
#include "runtime/disk.h"
#include "storage/location.h"

namespace weir::storage {

// Positions from here on are not of the log: files that the cleaner wrote have theirs there, each a place of its own, so that a
// position names a file for good.
inline constexpr std::uint64_t cleaned_positions_begin = std::uint64_t{1} << 62;

struct LogFile {
  Lsn start;
  std::uint64_t bytes = 0;
  runtime::FileHandle handle = runtime::no_file;  // no_file: it is not made yet
  std::string spare{};  // not made yet: the spare file that becomes it; empty: a new one
  std::uint32_t slot = 0;
  std::uint64_t live = 0;        // references to its records
  std::uint64_t live_bytes = 0;  // of the records, once per reference
  std::uint32_t reads = 0;       // in flight
  bool segment = false;          // the log has left it behind: all of it is durable
  bool listed = false;           // its listing is on the disk
  Lsn dead_at;                   // all that released its records is before this; 0: it is needed

  // --- of a segment ---
  std::uint64_t named_in = UINT64_MAX;  // generation of the last checkpoint that named it ...
  bool recorded = false;                // ... and that is on the disk
  bool making = false;                  // the cleaner moves messages into it
  bool victim = false;                  // the cleaner is at it: it stays until the pass has ended
  bool moved = false;                   // it has moved some of it
  bool damaged = false;                 // it could not
  std::uint64_t surveyed_live = 0;      // references at the cleaner's last survey ...
  bool draining = true;                 // ... and it will be empty soon by itself

  Lsn end() const { return Lsn{start.value + bytes}; }
  // All before it can be read from the disk.
  Lsn readable(Lsn durable) const { return segment ? end() : std::min(end(), durable); }
  // Nothing needs it, and that is on the disk: after a crash nothing needs it either.
  bool dead(Lsn durable) const { return live == 0 && dead_at != Lsn{} && dead_at <= durable; }
  bool ready() const { return handle != runtime::no_file; }
  bool cleaned() const { return start.value >= cleaned_positions_begin; }
};

class FileTable {
 public:
  FileTable() : files_(slots_max) {}

  // Gives the file a slot. There is a free one: full() is asked before.
  void add(LogFile& file) {
    WEIR_ASSERT(used_ < slots_max);
    while (files_[next_] != nullptr) next_ = (next_ + 1) % slots_max;
    file.slot = static_cast<std::uint32_t>(next_);
    files_[next_] = &file;
    next_ = (next_ + 1) % slots_max;
    ++used_;
  }
  // In the slot that it had.
  void put(LogFile& file) {
    WEIR_ASSERT(files_[file.slot] == nullptr);
    files_[file.slot] = &file;
    ++used_;
  }
  void remove(const LogFile& file) {
    WEIR_ASSERT(files_[file.slot] == &file);
    files_[file.slot] = nullptr;
    --used_;
  }
  LogFile& at(std::uint32_t slot) const { return *files_[slot]; }
  // Null when the file has gone.
  LogFile* find(std::uint32_t slot, Lsn start) const {
    LogFile* const file = files_[slot];
    return file != nullptr && file->start == start ? file : nullptr;
  }
  std::size_t used() const { return used_; }

 private:
  std::vector<LogFile*> files_;
  std::size_t next_ = 0;
  std::size_t used_ = 0;
};

}  // namespace weir::storage
