// What it is: the data directory as a whole: made on first use, locked against a second server, one sub-directory
// per shard, and the number of shards it was made with.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "runtime/disk.h"

namespace weir::storage {

struct NodeIdentity {
  std::string node_id;       // 32 hexadecimal digits, made once
  std::uint16_t shards = 1;  // queues are placed by it: fixed for the life of the directory
  std::uint32_t format = 1;
};

// Reads `node.id`, or makes it with `shards_wanted` where the directory is new. corrupt, io_error.
Result<NodeIdentity> open_identity(runtime::Disk& disk, const std::string& directory,
                                   std::uint16_t shards_wanted, std::uint64_t random_seed);
// A new one, and its file; what repairs a directory needs both.
NodeIdentity make_identity(std::uint16_t shards, std::uint64_t random_seed);
Status store_identity(runtime::Disk& disk, const std::string& directory, const NodeIdentity& identity);
std::string shard_directory(const std::string& directory, std::uint16_t shard);  // "<dir>/shard-00"

}  // namespace weir::storage
