// What it is: files as the storage layer sees them: a narrow asynchronous seam with a real twin (io_uring and
// helper threads) and a simulated one (runtime/sim/sim_disk.h).
// Shard: one Disk per shard; every call and every completion is on that shard's thread.
// Lifetime: buffers and the IoRequest belong to the caller and stay in place until on_io was called.
// Errors: asynchronous calls complete with a byte count or with -errno; the blocking ones return a Result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/ids.h"

namespace weir::runtime {

using FileHandle = StrongId<struct FileTag, std::int32_t>;
inline constexpr FileHandle no_file{-1};

// O_DIRECT: offsets, lengths and buffer addresses of all asynchronous calls are multiples of this.
inline constexpr std::size_t disk_block_bytes = 4096;

// A file is made under its name and this, then renamed: a crash can leave such a file, an error does not.
inline constexpr const char* temporary_suffix = ".tmp";

class IoRequest {
 public:
  virtual void on_io(std::int64_t result) = 0;

 protected:
  ~IoRequest() = default;
};

struct DirectoryEntry {
  std::string name;
  std::uint64_t bytes = 0;
};

class Disk {
 public:
  // Waits for what was submitted; its completions are not called any more. The caller's buffers are free then.
  virtual ~Disk() = default;

  // --- asynchronous: queued by the call, begun by submit(), completed from poll() ---

  // Completes when the bytes are on stable storage. A short write completes with its count (the caller fails stop).
  virtual void write_durable(FileHandle file, std::uint64_t offset, Bytes data, IoRequest& request) = 0;
  virtual void read(FileHandle file, std::uint64_t offset, MutableBytes into, IoRequest& request) = 0;
  // Makes `path` a file of `bytes` zeros, written out and synced, its name durable. Never on the shard's thread.
  virtual void prepare_file(std::string path, std::uint64_t bytes, IoRequest& request) = 0;
  // Renames (over an existing file too) or removes; the new state of the names is durable (directory sync). Never on
  // the shard's thread. -ENOENT if there is no such file.
  virtual void rename_file(std::string from, std::string to, IoRequest& request) = 0;
  virtual void remove_file(std::string path, IoRequest& request) = 0;
  // Like write_file_now, off the shard's thread; takes the contents over.
  virtual void write_file(std::string path, std::vector<std::byte> contents, IoRequest& request) = 0;

  // One system call for all that was queued since the last time.
  virtual void submit() = 0;
  // Runs the completions that are there; returns how many. Never waits for requests that are on their way (but a disk may
  // make a small write here, where that takes less time than handing it over).
  virtual std::size_t poll() = 0;
  // Requests that have not completed yet.
  virtual std::size_t in_flight() const = 0;

  // --- blocking: for start-up, recovery and tools ---

  virtual Status make_directories(const std::string& path) = 0;
  // Regular files, sorted by name; not_found if there is no such directory.
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& directory) = 0;
  // For reading and writing in place; O_DIRECT where the file system has it. not_found if there is no such file.
  virtual Result<FileHandle> open(const std::string& path) = 0;
  virtual void close(FileHandle file) = 0;
  virtual Result<std::uint64_t> size(FileHandle file) = 0;
  // Aligned as read(); returns the bytes read, fewer only at the end of the file.
  virtual Result<std::size_t> read_now(FileHandle file, std::uint64_t offset, MutableBytes into) = 0;
  // Aligned as write_durable; durable on return.
  virtual Status write_now(FileHandle file, std::uint64_t offset, Bytes data) = 0;
  virtual Result<std::vector<std::byte>> read_file_now(
      const std::string& path) = 0;  // not_found if there is none
  // Atomic: temporary file, sync, rename, directory sync.
  virtual Status write_file_now(const std::string& path, Bytes contents) = 0;
  virtual Status prepare_file_now(const std::string& path, std::uint64_t bytes) = 0;
  virtual Status rename_now(const std::string& from, const std::string& to) = 0;
  virtual Status remove_now(const std::string& path) = 0;
  virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
};

}  // namespace weir::runtime
