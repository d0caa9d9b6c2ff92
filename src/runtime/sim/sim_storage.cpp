#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_map>

#include "base/assert.h"
#include "runtime/sim/sim_state.h"

namespace weir::runtime {

bool SimStorage::State::parent_exists(std::string_view path) const {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return true;
  return directories.contains(std::string(path.substr(0, slash)));
}

std::uint64_t SimStorage::State::used_bytes() const {
  std::uint64_t used = 0;
  for (const auto& [path, file] : files) used += file->size();
  return used;
}

std::size_t SimStorage::State::read(const SimFile& file, std::uint64_t offset, MutableBytes into) {
  const std::size_t count = file.read(offset, into);
  for (const SimOperation& write : submitted) {
    if (write.kind != SimOperation::Kind::write || write.file.get() != &file) continue;
    for (std::size_t at = 0; at < write.data.size(); at += sim_sector_bytes) {
      const std::uint64_t position = write.offset + at;
      if (position < offset || position + sim_sector_bytes > offset + count || rng.chance(1, 2)) continue;
      std::memcpy(into.data() + (position - offset), write.data.data() + at, sim_sector_bytes);
    }
  }
  return count;
}

void SimStorage::State::apply_sector(const SimOperation& write, std::size_t sector, SimSector outcome) {
  if (outcome == SimSector::old_bytes) return;
  const std::size_t at = sector * sim_sector_bytes;
  const std::size_t count =
      outcome == SimSector::new_bytes ? sim_sector_bytes : 1 + rng.below(sim_sector_bytes - 1);
  write.file->write(write.offset + at, Bytes(write.data).subspan(at, count));
}

void SimStorage::State::apply_some_sectors(const SimOperation& write, bool may_tear) {
  enum : std::uint64_t { nothing, everything, prefix, scattered, kinds };
  const std::uint64_t kind = rng.below(kinds);
  const std::size_t sectors = write.sectors();
  const std::size_t cut = rng.below(sectors + 1);
  for (std::size_t sector = 0; sector < sectors; ++sector) {
    SimSector outcome = SimSector::old_bytes;
    if (kind == everything || (kind == prefix && sector < cut)) outcome = SimSector::new_bytes;
    if (kind == prefix && sector == cut && may_tear) outcome = SimSector::torn;
    if (kind == scattered) outcome = static_cast<SimSector>(rng.below(may_tear ? 3 : 2));
    apply_sector(write, sector, outcome);
  }
}

std::int64_t SimStorage::State::apply_names(const SimOperation& operation) {
  switch (operation.kind) {
    case SimOperation::Kind::prepare:
    case SimOperation::Kind::write_file: {
      if (!parent_exists(operation.path)) return -ENOENT;
      auto file = std::make_shared<SimFile>(operation.bytes);
      file->write(0, operation.data);
      files[operation.path] = std::move(file);
      return 0;
    }
    case SimOperation::Kind::rename: {
      const auto from = files.find(operation.path);
      if (from == files.end() || !parent_exists(operation.to)) return -ENOENT;
      std::shared_ptr<SimFile> file = std::move(from->second);
      files.erase(from);
      files[operation.to] = std::move(file);
      return 0;
    }
    case SimOperation::Kind::remove: return files.erase(operation.path) == 1 ? 0 : -ENOENT;
    case SimOperation::Kind::write:
    case SimOperation::Kind::read: break;
  }
  WEIR_UNREACHABLE();
}

// A file that was being made can leave its temporary name, part written.
void SimStorage::State::leave_behind(const SimOperation& operation) {
  const bool makes =
      operation.kind == SimOperation::Kind::prepare || operation.kind == SimOperation::Kind::write_file;
  if (!makes || !parent_exists(operation.path)) return;
  const std::uint64_t size = rng.below(std::max<std::uint64_t>(operation.bytes, operation.data.size()) + 1);
  auto file = std::make_shared<SimFile>(size);
  file->write(0, Bytes(operation.data).first(std::min<std::size_t>(operation.data.size(), size)));
  files[operation.path + temporary_suffix] = std::move(file);
}

void SimStorage::State::power_off(bool may_tear) {
  for (const SimOperation& operation : submitted) {
    if (operation.kind == SimOperation::Kind::write) {
      apply_some_sectors(operation, may_tear);
    } else if (operation.on_names()) {
      const std::uint64_t outcome = rng.below(3);
      if (outcome == 0) apply_names(operation);
      if (outcome == 1) leave_behind(operation);
    }
  }
  submitted.clear();
  ++boots;
}

SimStorage::SimStorage(std::uint64_t seed) : state_(std::make_unique<State>(seed)) {}
SimStorage::~SimStorage() = default;

void SimStorage::crash() { state_->power_off(true); }
void SimStorage::kill() { state_->power_off(false); }

std::size_t SimStorage::sectors_in_flight() const {
  std::size_t count = 0;
  for (const SimOperation& operation : state_->submitted) {
    count += operation.sectors() + (operation.on_names() ? 1 : 0);
  }
  return count;
}

void SimStorage::crash_with(const std::vector<bool>& persisted) {
  WEIR_ASSERT(persisted.size() == sectors_in_flight());
  std::size_t bit = 0;
  for (const SimOperation& operation : state_->submitted) {
    for (std::size_t sector = 0; sector < operation.sectors(); ++sector) {
      state_->apply_sector(operation, sector, persisted[bit++] ? SimSector::new_bytes : SimSector::old_bytes);
    }
    if (operation.on_names() && persisted[bit++]) state_->apply_names(operation);
  }
  state_->submitted.clear();
  ++state_->boots;
}

bool SimStorage::flip_bit(const std::string& path, std::uint64_t byte_offset, unsigned bit) {
  const auto found = state_->files.find(path);
  if (found == state_->files.end() || byte_offset >= found->second->size()) return false;
  std::byte value{};
  found->second->read(byte_offset, {&value, 1});
  value ^= std::byte{1} << (bit % 8);
  found->second->write(byte_offset, {&value, 1});
  return true;
}

std::unique_ptr<SimStorage> SimStorage::clone(std::uint64_t seed) const {
  auto copy = std::make_unique<SimStorage>(seed);
  std::unordered_map<const SimFile*, std::shared_ptr<SimFile>> copies;
  const auto copy_of = [&copies](const std::shared_ptr<SimFile>& file) {
    std::shared_ptr<SimFile>& made = copies[file.get()];
    if (made == nullptr) made = std::make_shared<SimFile>(*file);
    return made;
  };
  for (const auto& [path, file] : state_->files) copy->state_->files[path] = copy_of(file);
  copy->state_->directories = state_->directories;
  copy->state_->writes_completed = state_->writes_completed;
  for (const SimOperation& operation : state_->submitted) {
    if (operation.kind == SimOperation::Kind::read) continue;
    SimOperation& copied = copy->state_->submitted.emplace_back(operation);
    copied.owner = nullptr;
    copied.request = nullptr;
    copied.source = {};
    if (operation.file != nullptr) copied.file = copy_of(operation.file);
  }
  return copy;
}

std::vector<std::byte> SimStorage::contents(const std::string& path) const {
  const auto found = state_->files.find(path);
  if (found == state_->files.end()) return {};
  std::vector<std::byte> bytes(found->second->size());
  found->second->read(0, bytes);
  return bytes;
}

std::vector<std::string> SimStorage::paths() const {
  std::vector<std::string> result;
  for (const auto& [path, file] : state_->files) result.push_back(path);
  return result;
}

std::uint64_t SimStorage::writes_completed() const { return state_->writes_completed; }

}  // namespace weir::runtime
