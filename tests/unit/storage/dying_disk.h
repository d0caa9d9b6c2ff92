// What it is: a disk whose process dies in the middle of a blocking call: the n-th change is written in part or not at
// all, and everything after it fails. For crashes during recovery.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/chunk.h"
#include "base/rng.h"
#include "runtime/disk.h"

namespace weir::storage {

class DyingDisk final : public runtime::Disk {
 public:
  DyingDisk(runtime::Disk& disk, std::uint64_t changes_left, std::uint64_t seed)
      : disk_(disk), changes_left_(changes_left), rng_(seed) {}
  bool died() const { return died_; }

  void write_durable(runtime::FileHandle f, std::uint64_t o, Bytes d, runtime::IoRequest& r) override {
    disk_.write_durable(f, o, d, r);
  }
  void read(runtime::FileHandle f, std::uint64_t o, MutableBytes into, runtime::IoRequest& r) override {
    disk_.read(f, o, into, r);
  }
  void prepare_file(std::string p, std::uint64_t b, runtime::IoRequest& r) override {
    disk_.prepare_file(std::move(p), b, r);
  }
  void rename_file(std::string from, std::string to, runtime::IoRequest& r) override {
    disk_.rename_file(std::move(from), std::move(to), r);
  }
  void remove_file(std::string p, runtime::IoRequest& r) override { disk_.remove_file(std::move(p), r); }
  void write_file(std::string p, std::vector<std::byte> c, runtime::IoRequest& r) override {
    disk_.write_file(std::move(p), std::move(c), r);
  }
  void submit() override { disk_.submit(); }
  std::size_t poll() override { return disk_.poll(); }
  std::size_t in_flight() const override { return disk_.in_flight(); }

  Status make_directories(const std::string& path) override { return disk_.make_directories(path); }
  Result<std::vector<runtime::DirectoryEntry>> list(const std::string& d) override { return disk_.list(d); }
  Result<runtime::FileHandle> open(const std::string& path) override { return disk_.open(path); }
  void close(runtime::FileHandle file) override { disk_.close(file); }
  Result<std::uint64_t> size(runtime::FileHandle file) override { return disk_.size(file); }
  Result<std::size_t> read_now(runtime::FileHandle f, std::uint64_t o, MutableBytes into) override {
    if (died_) return dead();
    return disk_.read_now(f, o, into);
  }
  Status write_now(runtime::FileHandle file, std::uint64_t offset, Bytes data) override {
    if (lives()) return disk_.write_now(file, offset, data);
    if (!std::exchange(torn_, true)) tear(file, offset, data);
    return dead();
  }
  Result<std::vector<std::byte>> read_file_now(const std::string& p) override {
    return disk_.read_file_now(p);
  }
  Status write_file_now(const std::string& path, Bytes contents) override {
    if (!lives()) return dead();
    return disk_.write_file_now(path, contents);
  }
  Status prepare_file_now(const std::string& path, std::uint64_t bytes) override {
    if (!lives()) return dead();
    return disk_.prepare_file_now(path, bytes);
  }
  Status rename_now(const std::string& from, const std::string& to) override {
    if (!lives()) return dead();
    return disk_.rename_now(from, to);
  }
  Status remove_now(const std::string& path) override {
    if (!lives()) return dead();
    return disk_.remove_now(path);
  }
  Result<std::uint64_t> free_bytes(const std::string& path) override { return disk_.free_bytes(path); }

 private:
  static std::unexpected<Error> dead() { return fail(ErrorCode::io_error, "the process died"); }
  bool lives() {
    if (changes_left_ == 0) died_ = true;
    if (!died_) --changes_left_;
    return !died_;
  }
  // Of every sector the old or the new bytes.
  void tear(runtime::FileHandle file, std::uint64_t offset, Bytes data) {
    constexpr std::size_t sector = 512;
    const ChunkRef mixed = ChunkRef::adopt(Chunk::make(data.size()));
    const MutableBytes bytes(mixed->data(), data.size());
    if (!disk_.read_now(file, offset, bytes)) return;
    for (std::size_t at = 0; at < data.size(); at += sector) {
      if (rng_.chance(1, 2))
        std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(at), sector,
                    bytes.begin() + static_cast<std::ptrdiff_t>(at));
    }
    static_cast<void>(disk_.write_now(file, offset, bytes));
  }

  runtime::Disk& disk_;
  std::uint64_t changes_left_;
  Rng rng_;
  bool died_ = false;
  bool torn_ = false;
};

}  // namespace weir::storage
