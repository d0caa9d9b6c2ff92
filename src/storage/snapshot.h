// What it is: a small whole-state file beside the journal (definitions up to an LSN): two are kept, the newest valid one
// counts. Format: docs/formats/snapshot.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "runtime/disk.h"

namespace weir::storage {

struct Snapshot {
  Lsn lsn;  // all records before it are in the contents
  std::vector<std::byte> contents;
};

// A snapshot as the bytes of its file, and back. corrupt.
std::vector<std::byte> encode_snapshot(Lsn lsn, Bytes contents);
Result<Snapshot> decode_snapshot(Bytes file);

// The file name for the `generation`-th snapshot: they alternate between two names.
std::string snapshot_path(const std::string& directory, std::uint64_t generation);

// The newest valid one; not_found if there never was one; corrupt if files are there and none is valid.
struct LoadedSnapshot {
  Snapshot snapshot;
  std::uint64_t generation = 0;
  bool other_is_damaged = false;  // and may have been a newer one
};
Result<LoadedSnapshot> load_newest_snapshot(runtime::Disk& disk, const std::string& directory);

}  // namespace weir::storage
