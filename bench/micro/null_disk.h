// What it is: a disk that remembers only names and sizes: every write is done at the next poll(). For measuring what is
// above the disk.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/disk.h"

namespace weir::bench {

class NullDisk final : public runtime::Disk {
 public:
  void write_durable(runtime::FileHandle, std::uint64_t, Bytes data, runtime::IoRequest& request) override {
    complete(request, static_cast<std::int64_t>(data.size()));
  }
  void read(runtime::FileHandle, std::uint64_t, MutableBytes into, runtime::IoRequest& request) override {
    complete(request, static_cast<std::int64_t>(into.size()));
  }
  void prepare_file(std::string path, std::uint64_t bytes, runtime::IoRequest& request) override {
    files_[path] = bytes;
    complete(request, 0);
  }
  void rename_file(std::string from, std::string to, runtime::IoRequest& request) override {
    files_[to] = files_[from];
    files_.erase(from);
    complete(request, 0);
  }
  void remove_file(std::string path, runtime::IoRequest& request) override {
    files_.erase(path);
    complete(request, 0);
  }
  void write_file(std::string path, std::vector<std::byte> contents, runtime::IoRequest& request) override {
    files_[path] = contents.size();
    complete(request, 0);
  }
  void submit() override {}
  std::size_t poll() override {
    working_.swap(done_);
    for (const auto& [request, result] : working_) request->on_io(result);
    const std::size_t count = working_.size();
    working_.clear();
    return count;
  }
  std::size_t in_flight() const override { return done_.size(); }

  Status make_directories(const std::string&) override { return {}; }
  Result<std::vector<runtime::DirectoryEntry>> list(const std::string& directory) override {
    std::vector<runtime::DirectoryEntry> entries;
    for (const auto& [path, bytes] : files_) {
      if (path.starts_with(directory + "/")) entries.push_back({path.substr(directory.size() + 1), bytes});
    }
    return entries;
  }
  Result<runtime::FileHandle> open(const std::string& path) override {
    if (!files_.contains(path)) return fail(ErrorCode::not_found, path);
    return runtime::FileHandle{next_handle_++};
  }
  void close(runtime::FileHandle) override {}
  Result<std::uint64_t> size(runtime::FileHandle) override { return 0; }
  Result<std::size_t> read_now(runtime::FileHandle, std::uint64_t, MutableBytes into) override {
    std::fill(into.begin(), into.end(), std::byte{0});
    return into.size();
  }
  Status write_now(runtime::FileHandle, std::uint64_t, Bytes) override { return {}; }
  Result<std::vector<std::byte>> read_file_now(const std::string& path) override {
    return fail(ErrorCode::not_found, path);
  }
  Status write_file_now(const std::string& path, Bytes contents) override {
    files_[path] = contents.size();
    return {};
  }
  Status prepare_file_now(const std::string& path, std::uint64_t bytes) override {
    files_[path] = bytes;
    return {};
  }
  Status rename_now(const std::string&, const std::string&) override { return {}; }
  Status remove_now(const std::string& path) override {
    files_.erase(path);
    return {};
  }
  Result<std::uint64_t> free_bytes(const std::string&) override { return UINT64_MAX; }

 private:
  void complete(runtime::IoRequest& request, std::int64_t result) { done_.emplace_back(&request, result); }

  std::map<std::string, std::uint64_t> files_;
  std::vector<std::pair<runtime::IoRequest*, std::int64_t>> done_;
  std::vector<std::pair<runtime::IoRequest*, std::int64_t>> working_;
  std::int32_t next_handle_ = 0;
};

}  // namespace weir::bench
