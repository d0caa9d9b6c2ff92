// What it is: every batch and record of one file against its checksums, from the file's beginning to its end, and what can
// still be read where they don't hold. For files that are whole by right: segments, and those of the log before its end.
// Blocking.
// Errors: io_error.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/error.h"
#include "runtime/disk.h"
#include "storage/log_reader.h"
#include "storage/record.h"
#include "storage/salvage.h"

namespace weir::storage {

struct DamagedPlace {
  std::uint64_t offset = 0, bytes = 0;  // in the file
  bool header_only = false;             // of a batch: its records are told of by themselves
  LostRecord record;                    // not legible: a stretch of which nothing is known
};

struct RecordCounts {
  std::uint64_t batches = 0;
  std::array<std::uint64_t, record_types> records{};  // by type
};

struct CheckedFile {
  RecordCounts counts;
  std::vector<DamagedPlace> damage;  // ascending
};

// `visit` gets each record that holds its checksum, and its place in the file.
using RecordVisit = std::function<void(const Record& record, std::uint64_t offset, std::size_t span)>;

// From `begin`, a batch's, to `end`.
Result<CheckedFile> check_records(runtime::Disk& disk, const LogFile& file, std::uint32_t salt,
                                  Superblock::Range incarnations, std::uint64_t begin, std::uint64_t end,
                                  const RecordVisit& visit);

}  // namespace weir::storage
