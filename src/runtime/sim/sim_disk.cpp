#include "runtime/sim/sim_disk.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "runtime/sim/sim_state.h"

namespace weir::runtime {
namespace {

constexpr unsigned idle_polls_max = 3;  // in a row, while something could complete
constexpr std::uint64_t slow_polls_min = 8;
constexpr std::uint64_t slow_polls_spread = 64;

bool aligned(std::uint64_t offset, Bytes bytes) {
  return offset % disk_block_bytes == 0 && bytes.size() % disk_block_bytes == 0 &&
         reinterpret_cast<std::uintptr_t>(bytes.data()) % disk_block_bytes == 0;
}

}  // namespace

class SimDisk final : public Disk {
 public:
  SimDisk(SimStorage::State& state, SimFaults faults) : state_(state), faults_(faults), boot_(state.boots) {}
  ~SimDisk() override;

  void write_durable(FileHandle file, std::uint64_t offset, Bytes data, IoRequest& request) override;
  void read(FileHandle file, std::uint64_t offset, MutableBytes into, IoRequest& request) override;
  void prepare_file(std::string path, std::uint64_t bytes, IoRequest& request) override;
  void rename_file(std::string from, std::string to, IoRequest& request) override;
  void remove_file(std::string path, IoRequest& request) override;
  void write_file(std::string path, std::vector<std::byte> contents, IoRequest& request) override;
  void submit() override;
  std::size_t poll() override;
  std::size_t in_flight() const override;

  Status make_directories(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  Result<FileHandle> open(const std::string& path) override;
  void close(FileHandle file) override;
  Result<std::uint64_t> size(FileHandle file) override;
  Result<std::size_t> read_now(FileHandle file, std::uint64_t offset, MutableBytes into) override;
  Status write_now(FileHandle file, std::uint64_t offset, Bytes data) override;
  Result<std::vector<std::byte>> read_file_now(const std::string& path) override;
  Status write_file_now(const std::string& path, Bytes contents) override;
  Status prepare_file_now(const std::string& path, std::uint64_t bytes) override;
  Status rename_now(const std::string& from, const std::string& to) override;
  Status remove_now(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

 private:
  using Kind = SimOperation::Kind;

  bool alive() const { return state_.boots == boot_; }
  bool strikes(std::uint32_t one_in) { return one_in != 0 && state_.rng.below(one_in) == 0; }
  const std::shared_ptr<SimFile>& file_of(FileHandle file) const;
  SimOperation& queue(Kind kind, IoRequest& request);
  std::vector<std::size_t> completable() const;
  std::int64_t complete(SimOperation& operation);
  std::int64_t complete_write(SimOperation& operation);
  std::int64_t carry_out(const SimOperation& operation);
  Status now(const SimOperation& operation);

  SimStorage::State& state_;
  SimFaults faults_;
  std::uint64_t boot_;
  std::vector<SimOperation> queued_;  // not submitted yet: a crash takes them without a trace
  std::vector<std::shared_ptr<SimFile>> open_files_;
  std::uint64_t polls_ = 0;
  unsigned idle_polls_ = 0;
};

std::unique_ptr<Disk> SimStorage::open_disk(SimFaults faults) {
  return std::make_unique<SimDisk>(*state_, faults);
}

// A process that ends in order waits for what it began.
SimDisk::~SimDisk() {
  if (!alive()) return;
  for (std::size_t i = 0; i < state_.submitted.size();) {
    SimOperation& operation = state_.submitted[i];
    if (operation.owner != this) {
      ++i;
      continue;
    }
    for (std::size_t sector = 0; sector < operation.sectors(); ++sector) {
      state_.apply_sector(operation, sector, SimSector::new_bytes);
    }
    if (operation.on_names()) carry_out(operation);
    state_.submitted.erase(state_.submitted.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

const std::shared_ptr<SimFile>& SimDisk::file_of(FileHandle file) const {
  const auto index = static_cast<std::size_t>(file.value);
  WEIR_ASSERT(file.value >= 0 && index < open_files_.size() && open_files_[index] != nullptr);
  return open_files_[index];
}

SimOperation& SimDisk::queue(Kind kind, IoRequest& request) {
  SimOperation& operation = queued_.emplace_back();
  operation.kind = kind;
  operation.owner = this;
  operation.request = &request;
  return operation;
}

void SimDisk::write_durable(FileHandle file, std::uint64_t offset, Bytes data, IoRequest& request) {
  WEIR_ASSERT(aligned(offset, data) && !data.empty());
  SimOperation& operation = queue(Kind::write, request);
  operation.file = file_of(file);
  operation.offset = offset;
  operation.source = data;
}

void SimDisk::read(FileHandle file, std::uint64_t offset, MutableBytes into, IoRequest& request) {
  WEIR_ASSERT(aligned(offset, into) && !into.empty());
  SimOperation& operation = queue(Kind::read, request);
  operation.file = file_of(file);
  operation.offset = offset;
  operation.into = into;
}

void SimDisk::prepare_file(std::string path, std::uint64_t bytes, IoRequest& request) {
  SimOperation& operation = queue(Kind::prepare, request);
  operation.path = std::move(path);
  operation.bytes = bytes;
}

void SimDisk::rename_file(std::string from, std::string to, IoRequest& request) {
  SimOperation& operation = queue(Kind::rename, request);
  operation.path = std::move(from);
  operation.to = std::move(to);
}

void SimDisk::remove_file(std::string path, IoRequest& request) {
  queue(Kind::remove, request).path = std::move(path);
}

void SimDisk::write_file(std::string path, std::vector<std::byte> contents, IoRequest& request) {
  SimOperation& operation = queue(Kind::write_file, request);
  operation.path = std::move(path);
  operation.data = std::move(contents);
}

void SimDisk::submit() {
  if (!alive()) return queued_.clear();
  for (SimOperation& operation : queued_) {
    if (operation.kind == Kind::write)
      operation.data.assign(operation.source.begin(), operation.source.end());
    if (strikes(faults_.slow_one_in)) {
      operation.held_until = polls_ + slow_polls_min + state_.rng.below(slow_polls_spread);
    }
    state_.submitted.push_back(std::move(operation));
  }
  queued_.clear();
}

std::vector<std::size_t> SimDisk::completable() const {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < state_.submitted.size(); ++i) {
    const SimOperation& operation = state_.submitted[i];
    if (operation.owner == this && operation.held_until <= polls_) result.push_back(i);
  }
  return result;
}

std::size_t SimDisk::poll() {
  if (!alive()) return 0;
  ++polls_;
  const std::size_t candidates = completable().size();
  if (candidates == 0) return 0;
  std::size_t budget = state_.rng.below(candidates + 1);
  idle_polls_ = budget == 0 ? idle_polls_ + 1 : 0;
  if (idle_polls_ > idle_polls_max) {
    budget = 1;
    idle_polls_ = 0;
  }
  std::size_t completed = 0;
  // A completion may submit, and a test's may crash the machine.
  while (completed < budget && alive()) {
    const std::vector<std::size_t> choice = completable();
    const std::size_t chosen = choice[state_.rng.below(choice.size())];
    SimOperation operation = std::move(state_.submitted[chosen]);
    state_.submitted.erase(state_.submitted.begin() + static_cast<std::ptrdiff_t>(chosen));
    const std::int64_t result = complete(operation);
    ++completed;
    operation.request->on_io(result);
  }
  return completed;
}

std::size_t SimDisk::in_flight() const {
  if (!alive()) return 0;
  return queued_.size() +
         static_cast<std::size_t>(std::count_if(state_.submitted.begin(), state_.submitted.end(),
                                                [this](const SimOperation& o) { return o.owner == this; }));
}

std::int64_t SimDisk::complete(SimOperation& operation) {
  if (operation.kind == Kind::write) return complete_write(operation);
  if (operation.kind == Kind::read) {
    if (strikes(faults_.read_error_one_in)) return -EIO;
    return static_cast<std::int64_t>(state_.read(*operation.file, operation.offset, operation.into));
  }
  return carry_out(operation);
}

std::int64_t SimDisk::complete_write(SimOperation& operation) {
  // The kernel may read the buffer at any time until completion.
  WEIR_ASSERT(std::equal(operation.source.begin(), operation.source.end(), operation.data.begin()));
  if (strikes(faults_.write_error_one_in)) {
    state_.apply_some_sectors(operation, true);
    return -EIO;
  }
  std::size_t sectors = operation.sectors();
  if (strikes(faults_.short_write_one_in)) sectors = state_.rng.below(sectors);
  for (std::size_t sector = 0; sector < sectors; ++sector) {
    state_.apply_sector(operation, sector, SimSector::new_bytes);
  }
  ++state_.writes_completed;
  return static_cast<std::int64_t>(sectors * sim_sector_bytes);
}

std::int64_t SimDisk::carry_out(const SimOperation& operation) {
  const std::uint64_t more = operation.bytes + operation.data.size();
  if (operation.kind != Kind::write && more > 0) {
    const std::uint64_t used = state_.used_bytes();
    if (used > faults_.capacity_bytes || more > faults_.capacity_bytes - used) return -ENOSPC;
  }
  return state_.apply_names(operation);
}

Status SimDisk::now(const SimOperation& operation) {
  if (!alive()) return fail(ErrorCode::io_error, "the simulated machine is down");
  const std::int64_t result = carry_out(operation);
  if (result == -ENOENT) return fail(ErrorCode::not_found, operation.path + ": no such file or directory");
  if (result < 0) return fail_errno(static_cast<int>(-result), operation.path);
  return {};
}

Status SimDisk::make_directories(const std::string& path) {
  if (!alive()) return fail(ErrorCode::io_error, "the simulated machine is down");
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    state_.directories.insert(path.substr(0, slash));
  }
  state_.directories.insert(path);
  return {};
}

Result<std::vector<DirectoryEntry>> SimDisk::list(const std::string& directory) {
  if (!alive()) return fail(ErrorCode::io_error, "the simulated machine is down");
  if (!state_.directories.contains(directory)) {
    return fail(ErrorCode::not_found, directory + ": no such directory");
  }
  const std::string prefix = directory + "/";
  std::vector<DirectoryEntry> entries;
  for (auto it = state_.files.lower_bound(prefix); it != state_.files.end(); ++it) {
    const auto& [path, file] = *it;
    if (!path.starts_with(prefix)) break;
    if (path.find('/', prefix.size()) != std::string::npos) continue;
    entries.push_back({path.substr(prefix.size()), file->size()});
  }
  return entries;
}

Result<FileHandle> SimDisk::open(const std::string& path) {
  if (!alive()) return fail(ErrorCode::io_error, "the simulated machine is down");
  const auto found = state_.files.find(path);
  if (found == state_.files.end()) return fail(ErrorCode::not_found, path + ": no such file");
  const auto free = std::find(open_files_.begin(), open_files_.end(), nullptr);
  const auto index = free - open_files_.begin();
  if (free == open_files_.end()) {
    open_files_.push_back(found->second);
  } else {
    *free = found->second;
  }
  return FileHandle{static_cast<std::int32_t>(index)};
}

void SimDisk::close(FileHandle file) {
  file_of(file);
  open_files_[static_cast<std::size_t>(file.value)].reset();
}

Result<std::uint64_t> SimDisk::size(FileHandle file) {
  if (!alive()) return fail(ErrorCode::io_error, "the simulated machine is down");
  return file_of(file)->size();
}

Result<std::size_t> SimDisk::read_now(FileHandle file, std::uint64_t offset, MutableBytes into) {
  WEIR_ASSERT(aligned(offset, into));
  if (!alive()) return fail(ErrorCode::io_error, "the simulated machine is down");
  return state_.read(*file_of(file), offset, into);
}

Status SimDisk::write_now(FileHandle file, std::uint64_t offset, Bytes data) {
  WEIR_ASSERT(aligned(offset, data));
  if (!alive()) return fail(ErrorCode::io_error, "the simulated machine is down");
  file_of(file)->write(offset, data);
  ++state_.writes_completed;
  return {};
}

Result<std::vector<std::byte>> SimDisk::read_file_now(const std::string& path) {
  if (!alive()) return fail(ErrorCode::io_error, "the simulated machine is down");
  const auto found = state_.files.find(path);
  if (found == state_.files.end()) return fail(ErrorCode::not_found, path + ": no such file");
  std::vector<std::byte> bytes(found->second->size());
  state_.read(*found->second, 0, bytes);
  return bytes;
}

Status SimDisk::write_file_now(const std::string& path, Bytes contents) {
  SimOperation operation;
  operation.kind = Kind::write_file;
  operation.path = path;
  operation.data.assign(contents.begin(), contents.end());
  return now(operation);
}

Status SimDisk::prepare_file_now(const std::string& path, std::uint64_t bytes) {
  SimOperation operation;
  operation.kind = Kind::prepare;
  operation.path = path;
  operation.bytes = bytes;
  return now(operation);
}

Status SimDisk::rename_now(const std::string& from, const std::string& to) {
  SimOperation operation;
  operation.kind = Kind::rename;
  operation.path = from;
  operation.to = to;
  return now(operation);
}

Status SimDisk::remove_now(const std::string& path) {
  SimOperation operation;
  operation.kind = Kind::remove;
  operation.path = path;
  return now(operation);
}

Result<std::uint64_t> SimDisk::free_bytes(const std::string&) {
  if (!alive()) return fail(ErrorCode::io_error, "the simulated machine is down");
  const std::uint64_t used = state_.used_bytes();
  return used >= faults_.capacity_bytes ? 0 : faults_.capacity_bytes - used;
}

}  // namespace weir::runtime
