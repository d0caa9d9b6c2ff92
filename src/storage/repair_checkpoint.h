// What it is: a checkpoint from what the shard's files hold, where both copies of the last one are damaged: every message
// of every segment that no settlement in the retained files speaks of. Blocking; changes nothing.
// Which messages were settled in parts of the log that are gone is not known any more: these come once more.
// Errors: io_error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "runtime/disk.h"
#include "storage/shard_files.h"
#include "storage/superblock.h"

namespace weir::storage {

struct RebuiltCheckpoint {
  std::vector<std::byte> file;
  std::uint64_t messages = 0, segments = 0;
  std::vector<QueueId> queues;      // with messages
  std::vector<std::string> spares;  // names of files that may hold messages that are nowhere else
};

Result<RebuiltCheckpoint> rebuild_checkpoint(runtime::Disk& disk, const std::string& directory,
                                             const Superblock& superblock, const ShardFiles& files);

}  // namespace weir::storage
