// What it is: a snapshot of definitions from what is left of them: the best copy, and the records of every file of the log
// that is still there. Blocking; changes nothing.
// Errors: io_error.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/error.h"
#include "runtime/disk.h"
#include "storage/shard_files.h"
#include "storage/superblock.h"

namespace weir::storage {

struct RebuiltDefinitions {
  std::vector<std::byte> contents;
  bool has_base = false;      // a snapshot, so that only what came after it can be missing
  bool put_right = false;     // it was damaged in one bit
  std::uint64_t records = 0;  // of definitions that the log had
};

// `end`: of the log.
Result<RebuiltDefinitions> rebuild_definitions(runtime::Disk& disk, const std::string& directory,
                                               const Superblock& superblock, const ShardFiles& files,
                                               Lsn end);

}  // namespace weir::storage
