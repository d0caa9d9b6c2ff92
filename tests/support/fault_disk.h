// What it is: a disk between a shard and its machine that does what a plan says: full, dying in the middle of a blocking
// change, or lying about what is durable.
// Lifetime: the plan outlives the disk.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/chunk.h"
#include "base/rng.h"
#include "runtime/disk.h"

namespace weir::runtime {

struct DiskPlan {
  bool stuck = false;                       // nothing comes back
  bool full = false;                        // what makes new files answers -ENOSPC
  std::uint64_t changes_left = UINT64_MAX;  // blocking changes; in the one after them the process dies
  bool died = false;
  std::uint32_t lie_polls = 0;  // writes are reported durable at once, and begun only so many polls later
  Rng rng{1};
};

class FaultDisk final : public Disk {
 public:
  FaultDisk(std::unique_ptr<Disk> disk, DiskPlan& plan) : disk_(std::move(disk)), plan_(plan) {}
  ~FaultDisk() override;

  void write_durable(FileHandle file, std::uint64_t offset, Bytes data, IoRequest& request) override;
  void read(FileHandle file, std::uint64_t offset, MutableBytes into, IoRequest& request) override;
  void prepare_file(std::string path, std::uint64_t bytes, IoRequest& request) override;
  void rename_file(std::string from, std::string to, IoRequest& request) override;
  void remove_file(std::string path, IoRequest& request) override;
  void write_file(std::string path, std::vector<std::byte> contents, IoRequest& request) override;
  void submit() override { disk_->submit(); }
  std::size_t poll() override;
  std::size_t in_flight() const override { return disk_->in_flight() + answers_.size(); }

  Status make_directories(const std::string& path) override { return disk_->make_directories(path); }
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override { return disk_->list(path); }
  Result<FileHandle> open(const std::string& path) override { return disk_->open(path); }
  void close(FileHandle file) override;
  Result<std::uint64_t> size(FileHandle file) override { return disk_->size(file); }
  Result<std::size_t> read_now(FileHandle file, std::uint64_t offset, MutableBytes into) override;
  Status write_now(FileHandle file, std::uint64_t offset, Bytes data) override;
  Result<std::vector<std::byte>> read_file_now(const std::string& path) override;
  Status write_file_now(const std::string& path, Bytes contents) override;
  Status prepare_file_now(const std::string& path, std::uint64_t bytes) override;
  Status rename_now(const std::string& from, const std::string& to) override;
  Status remove_now(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override { return disk_->free_bytes(path); }

 private:
  struct Answer {
    IoRequest* request;
    std::int64_t result;
  };
  // A write that was reported durable and is not begun yet.
  struct Lie final : IoRequest {
    FileHandle file;
    std::uint64_t offset = 0;
    std::size_t bytes = 0;
    ChunkRef copy;
    std::uint32_t polls_left = 0;
    bool begun = false, done = false;
    void on_io(std::int64_t) override { done = true; }
  };
  bool lives();
  void carry_out_lies();

  std::unique_ptr<Disk> disk_;
  DiskPlan& plan_;
  std::vector<Answer> answers_;
  std::list<Lie> lies_;
  bool torn_ = false;
};

}  // namespace weir::runtime
