// What it is: the part of a start that comes before the log: the checkpoint, and the messages in the files that the log
// has left behind. Blocking.
// Errors: corrupt where there should be a checkpoint and neither of its copies is whole; io_error. A file or listing that
// is damaged or gone is none: what is missing then, the queues know when the log has been replayed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "runtime/disk.h"
#include "storage/checkpoint.h"
#include "storage/journal.h"
#include "storage/log_file.h"
#include "storage/superblock.h"

namespace weir::storage {

struct LoadedCheckpoint {
  std::vector<std::byte> file;
  CheckpointHeader header;
};

// The newest that counts, if there is one.
Result<std::optional<LoadedCheckpoint>> load_checkpoint(runtime::Disk& disk, const std::string& directory,
                                                        const Superblock& superblock);

// Tells `visitor` of it, and returns its segments, open. One whose listing is not whole is read itself.
Result<std::vector<LogFile>> replay_checkpoint(runtime::Disk& disk, const std::string& directory,
                                               const Superblock& superblock,
                                               const LoadedCheckpoint& checkpoint, ReplayVisitor& visitor,
                                               RecoveryReport& report);

}  // namespace weir::storage
