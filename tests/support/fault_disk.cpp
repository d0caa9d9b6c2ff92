#include "support/fault_disk.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace weir::runtime {

namespace {

constexpr std::size_t sector_bytes = 512;

std::unexpected<Error> dead() { return fail(ErrorCode::io_error, "the process died"); }
std::unexpected<Error> no_space() { return fail(ErrorCode::no_space, "no space left on device"); }

}  // namespace

// The requests of lies that were begun belong to this disk: the inner one goes first.
FaultDisk::~FaultDisk() { disk_.reset(); }

bool FaultDisk::lives() {
  if (plan_.changes_left == 0) plan_.died = true;
  if (!plan_.died && plan_.changes_left != UINT64_MAX) --plan_.changes_left;
  return !plan_.died;
}

void FaultDisk::write_durable(FileHandle file, std::uint64_t offset, Bytes data, IoRequest& request) {
  if (plan_.lie_polls == 0) return disk_->write_durable(file, offset, data, request);
  Lie& lie = lies_.emplace_back();
  lie.file = file;
  lie.offset = offset;
  lie.bytes = data.size();
  lie.copy = ChunkRef::adopt(Chunk::make(data.size()));
  std::copy(data.begin(), data.end(), lie.copy->data());
  lie.polls_left = plan_.lie_polls;
  answers_.push_back({&request, static_cast<std::int64_t>(data.size())});
}

void FaultDisk::carry_out_lies() {
  for (auto it = lies_.begin(); it != lies_.end();) {
    if (it->done) {
      it = lies_.erase(it);
      continue;
    }
    if (!it->begun && it->polls_left-- == 0) {
      it->begun = true;
      disk_->write_durable(it->file, it->offset, {it->copy->data(), it->bytes}, *it);
    }
    ++it;
  }
  disk_->submit();
}

void FaultDisk::close(FileHandle file) {
  lies_.remove_if([&](const Lie& lie) { return lie.file == file && !lie.begun; });
  disk_->close(file);
}

void FaultDisk::read(FileHandle file, std::uint64_t offset, MutableBytes into, IoRequest& request) {
  disk_->read(file, offset, into, request);
}

void FaultDisk::prepare_file(std::string path, std::uint64_t bytes, IoRequest& request) {
  if (plan_.full) return answers_.push_back({&request, -ENOSPC});
  disk_->prepare_file(std::move(path), bytes, request);
}

void FaultDisk::rename_file(std::string from, std::string to, IoRequest& request) {
  disk_->rename_file(std::move(from), std::move(to), request);
}

void FaultDisk::remove_file(std::string path, IoRequest& request) {
  disk_->remove_file(std::move(path), request);
}

void FaultDisk::write_file(std::string path, std::vector<std::byte> contents, IoRequest& request) {
  if (plan_.full) return answers_.push_back({&request, -ENOSPC});
  disk_->write_file(std::move(path), std::move(contents), request);
}

std::size_t FaultDisk::poll() {
  if (plan_.stuck) return 0;
  if (!lies_.empty()) carry_out_lies();
  const std::vector<Answer> answers = std::exchange(answers_, {});
  for (const Answer& answer : answers) answer.request->on_io(answer.result);
  return answers.size() + disk_->poll();
}

Result<std::size_t> FaultDisk::read_now(FileHandle file, std::uint64_t offset, MutableBytes into) {
  if (plan_.died) return dead();
  return disk_->read_now(file, offset, into);
}

// Of the write in which the process dies, every sector is the old or the new one.
Status FaultDisk::write_now(FileHandle file, std::uint64_t offset, Bytes data) {
  if (lives()) return disk_->write_now(file, offset, data);
  if (std::exchange(torn_, true)) return dead();
  const ChunkRef mixed = ChunkRef::adopt(Chunk::make(data.size()));
  const MutableBytes bytes(mixed->data(), data.size());
  if (!disk_->read_now(file, offset, bytes)) return dead();
  for (std::size_t at = 0; at < data.size(); at += sector_bytes) {
    if (plan_.rng.chance(1, 2)) std::copy_n(data.data() + at, sector_bytes, bytes.data() + at);
  }
  static_cast<void>(disk_->write_now(file, offset, bytes));
  return dead();
}

Result<std::vector<std::byte>> FaultDisk::read_file_now(const std::string& path) {
  if (plan_.died) return dead();
  return disk_->read_file_now(path);
}

Status FaultDisk::write_file_now(const std::string& path, Bytes contents) {
  if (!lives()) return dead();
  if (plan_.full) return no_space();
  return disk_->write_file_now(path, contents);
}

Status FaultDisk::prepare_file_now(const std::string& path, std::uint64_t bytes) {
  if (!lives()) return dead();
  if (plan_.full) return no_space();
  return disk_->prepare_file_now(path, bytes);
}

Status FaultDisk::rename_now(const std::string& from, const std::string& to) {
  if (!lives()) return dead();
  return disk_->rename_now(from, to);
}

Status FaultDisk::remove_now(const std::string& path) {
  if (!lives()) return dead();
  return disk_->remove_now(path);
}

}  // namespace weir::runtime
