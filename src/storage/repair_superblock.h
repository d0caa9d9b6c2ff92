// What it is: a superblock from what the shard's other files say, where neither of its own files can be read. Blocking;
// changes nothing.
// The salt, which every batch's header is checksummed with, can be computed from any header that is whole; most of them
// say the same. Where an incarnation began, its first batch tells. That the last run ended in order is not known any
// more: what was not yet vouched for by a later batch counts as unconfirmed if it is damaged.
#pragma once

#include <string>

#include "base/error.h"
#include "runtime/disk.h"
#include "storage/shard_files.h"
#include "storage/superblock.h"

namespace weir::storage {

struct FoundSuperblock {
  Superblock superblock;
  std::string how;     // for people
  bool exact = false;  // it says what a superblock file said
};

// Two damaged files of which one can be put right by a bit; else rebuilt. corrupt: no batch is anywhere; io_error.
Result<FoundSuperblock> rebuild_superblock(runtime::Disk& disk, const std::string& directory,
                                           const ShardFiles& files);

}  // namespace weir::storage
