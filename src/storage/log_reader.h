// What it is: blocking reads from the files of a log in a buffer that slides forward, and the question that recovery asks:
// is there a whole batch at this place?
// Errors: what can't be read at all is an io_error and ends the recovery: a disk that does not answer must not look like
// a log that ends early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/chunk.h"
#include "base/error.h"
#include "runtime/disk.h"
#include "storage/log_files.h"
#include "storage/record.h"

namespace weir::storage {

class LogReader {
 public:
  LogReader(runtime::Disk& disk, const std::vector<LogFile>& files, std::uint32_t salt)
      : disk_(disk), files_(files), salt_(salt) {}

  using Incarnations = Superblock::Range;

  // Views live until the next call. Fewer bytes than asked for only at the file's end.
  Result<Bytes> view(std::size_t file, std::uint64_t offset, std::size_t bytes);

  struct Found {
    bool has_header = false;  // a valid header of this place and of one of these incarnations
    bool is_stale = false;    // a valid header of another place or time: what follows is none of this log
    bool whole = false;       // and all its records hold their checksums
    BatchHeader header;
    Bytes bytes;  // of the batch, as far as it is in the file
  };
  Result<Found> look(std::size_t file, std::uint64_t offset, Incarnations incarnations);
  // Only whether there is a header.
  Result<Found> look_at_header(std::size_t file, std::uint64_t offset, Incarnations incarnations);

 private:
  runtime::Disk& disk_;
  const std::vector<LogFile>& files_;
  std::uint32_t salt_;
  ChunkRef buffer_;
  std::size_t file_ = SIZE_MAX;  // what the buffer holds
  std::uint64_t offset_ = 0;
  std::size_t held_ = 0;
};

// All records of the batch are there and hold their checksums.
bool is_whole(const BatchHeader& header, Bytes batch);

}  // namespace weir::storage
