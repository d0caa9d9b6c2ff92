// What it is: finding the log again after any end: reads the superblock, the checkpoint, the listings of the segments and
// the files from the checkpoint on, replays every record, tells a torn
// tail (never confirmed: cut off) from damage (was durable: reported, the rest is served), and begins a new incarnation.
// Blocking. A crash anywhere in it changes nothing of what the next recovery finds.
// Errors: corrupt (no valid superblock, no files), io_error, no_space (no file for the log to go on in).
#pragma once

#include <vector>

#include "base/error.h"
#include "storage/journal.h"
#include "storage/log_files.h"

namespace weir::storage {

struct RecoveredLog {
  LogFileSet files;
  std::vector<LogFile> segments;
  RecoveryReport report;
};

Result<RecoveredLog> recover_log(runtime::Disk& disk, const JournalOptions& options, ReplayVisitor& visitor);

}  // namespace weir::storage
