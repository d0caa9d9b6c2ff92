// What it is: what the real disks share: the blocking calls, and a request as a value that any thread can carry out.
// Private to runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/real_disk.h"

namespace weir::runtime {

struct DiskJob {
  enum class Kind : std::uint8_t { write, read, prepare, rename, remove, write_file };

  Kind kind = Kind::read;
  IoRequest* request = nullptr;
  int descriptor = -1;
  std::uint64_t offset = 0;
  Bytes data;         // write
  MutableBytes into;  // read
  std::string path;
  std::string to;                   // rename
  std::uint64_t bytes = 0;          // prepare
  std::vector<std::byte> contents;  // write_file
  std::int64_t result = 0;
};

// Blocks; any thread. A byte count or 0; -errno.
std::int64_t carry_out(const DiskJob& job);

// A FileHandle is the descriptor.
class PosixDisk : public RealDisk {
 public:
  Status make_directories(const std::string& path) final;
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) final;
  Result<FileHandle> open(const std::string& path) final;
  void close(FileHandle file) final;
  Result<std::uint64_t> size(FileHandle file) final;
  Result<std::size_t> read_now(FileHandle file, std::uint64_t offset, MutableBytes into) final;
  Status write_now(FileHandle file, std::uint64_t offset, Bytes data) final;
  Result<std::vector<std::byte>> read_file_now(const std::string& path) final;
  Status write_file_now(const std::string& path, Bytes contents) final;
  Status prepare_file_now(const std::string& path, std::uint64_t bytes) final;
  Status rename_now(const std::string& from, const std::string& to) final;
  Status remove_now(const std::string& path) final;
  Result<std::uint64_t> free_bytes(const std::string& path) final;
};

}  // namespace weir::runtime
