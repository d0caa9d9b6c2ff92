// What it is: the files that the log's window has left behind because some of their messages are still needed, and those
// that the cleaner wrote. A segment that nothing needs any more is given back, once that is durable.
// Shard: of its journal, on its thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "storage/checkpoint.h"
#include "storage/log_files.h"

namespace weir::storage {

class Segments {
 public:
  Segments(runtime::Disk& disk, FileTable& table, LogFiles& files, std::vector<LogFile> found);
  ~Segments();
  Segments(const Segments&) = delete;
  Segments& operator=(const Segments&) = delete;

  void add(std::unique_ptr<LogFile> file);
  // The last reference to one of them was released.
  void something_died() { some_dead_ = true; }
  bool empty() const { return files_.empty(); }
  std::size_t count() const { return files_.size(); }
  // What they take on the disk.
  std::uint64_t bytes() const;
  // Those that are needed, for the checkpoint of this generation ...
  std::vector<SegmentName> name_in(std::uint64_t generation, Lsn durable);
  // ... which is on the disk now.
  void recorded_in(std::uint64_t generation);
  // Of the files that the cleaner wrote, one that is needed is not named by a checkpoint yet.
  bool unrecorded();
  // One that is needed has no listing, because the start found it damaged or gone.
  bool unlisted();
  const std::vector<std::unique_ptr<LogFile>>& files() const { return files_; }

  // At the end of a turn. `end`: of the log, with all that was settled.
  void tend(Lsn end, Lsn durable);

 private:
  bool moves_count(Lsn durable) const;

  runtime::Disk& disk_;
  FileTable& table_;
  LogFiles& log_;
  std::vector<std::unique_ptr<LogFile>> files_;
  std::vector<std::unique_ptr<LogFile>> leaving_;  // still being read
  bool some_dead_ = false;
  bool some_unrecorded_ = false;
  bool some_unlisted_ = true;  // it is not known yet
};

}  // namespace weir::storage
