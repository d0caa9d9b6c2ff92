#include "storage/repair_superblock.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "storage/checkpoint.h"
#include "storage/log_reader.h"
#include "storage/repair_bits.h"

namespace weir::storage {
namespace {

// Of one file; enough that no message's body outvotes them.
constexpr std::uint64_t votes_max = 1000;

std::optional<Superblock> put_right(runtime::Disk& disk, const std::string& directory) {
  std::optional<Superblock> newest;
  for (std::uint64_t side = 0; side < 2; ++side) {
    auto bytes = disk.read_file_now(superblock_path(directory, side));
    if (!bytes || !repair_one_bit(*bytes)) continue;
    const auto superblock = decode_superblock(*bytes);
    if (superblock && (!newest || superblock->generation > newest->generation)) newest = *superblock;
  }
  return newest;
}

std::optional<CheckpointHeader> newest_checkpoint(runtime::Disk& disk, const std::string& directory) {
  std::optional<CheckpointHeader> newest;
  for (int copy = 0; copy < 2; ++copy) {
    auto file = disk.read_file_now(checkpoint_path(directory, copy));
    if (!file) continue;
    auto reader = CheckpointReader::open(*file);
    if (!reader && repair_one_bit(*file)) reader = CheckpointReader::open(*file);
    if (reader && (!newest || reader->header().generation > newest->generation)) newest = reader->header();
  }
  return newest;
}

class Rebuild {
 public:
  Rebuild(runtime::Disk& disk, const std::string& directory, const ShardFiles& files)
      : disk_(disk), directory_(directory), names_(files) {}
  ~Rebuild() {
    for (const LogFile& file : files_) disk_.close(file.handle);
  }
  Rebuild(const Rebuild&) = delete;
  Rebuild& operator=(const Rebuild&) = delete;

  Result<FoundSuperblock> run();

 private:
  Status open_files();
  Status vote(std::size_t file);
  void choose_start();
  Status walk();
  Status walk_file(std::size_t file);
  void take_header(std::size_t file, std::uint64_t offset, const BatchHeader& header);

  runtime::Disk& disk_;
  const std::string& directory_;
  const ShardFiles& names_;
  std::vector<LogFile> files_;                  // logs, then cleaned ones
  std::map<std::uint32_t, std::size_t> votes_;  // by salt
  std::optional<CheckpointHeader> checkpoint_;
  std::optional<LogReader> reader_;
  Superblock superblock_;
  std::vector<Superblock::Incarnation> begins_;
  Lsn chain_end_;
  std::uint32_t last_ = 0;     // incarnation in the walk
  std::uint32_t highest_ = 0;  // in any file
};

Status Rebuild::open_files() {
  for (const auto* names : {&names_.logs, &names_.cleaned}) {
    for (const ShardFiles::File& name : *names) {
      const auto handle = disk_.open(segment_path(directory_, name.start));
      if (!handle) return std::unexpected(handle.error());
      LogFile file;
      file.start = name.start;
      file.bytes = name.bytes;
      file.handle = *handle;
      files_.push_back(std::move(file));
    }
  }
  return {};
}

// Each header that can be one of this place says with which salt it was made.
Status Rebuild::vote(std::size_t file) {
  LogReader reader(disk_, files_, 0);
  std::uint64_t votes = 0;
  for (std::uint64_t offset = 0; offset + batch_alignment <= files_[file].bytes && votes < votes_max;) {
    const auto bytes = reader.view(file, offset, batch_header_bytes);
    if (!bytes) return std::unexpected(bytes.error());
    const std::byte* const at = bytes->data();
    const auto length = load_le<std::uint32_t>(at + 24);
    const bool plausible = bytes->size() == batch_header_bytes && load_le<std::uint32_t>(at) == batch_magic &&
                           load_le<std::uint16_t>(at + 4) == batch_version &&
                           load_le<std::uint64_t>(at + 8) == files_[file].start.value + offset &&
                           length != 0 && length % batch_alignment == 0;
    offset += plausible ? length : batch_alignment;
    if (!plausible) continue;
    const auto incarnation = load_le<std::uint32_t>(at + 32);
    const std::uint32_t salt =
        crc_seed(bytes->first(batch_header_bytes - 4), load_le<std::uint32_t>(at + 60)) ^ incarnation;
    ++votes_[salt];
    ++votes;
    highest_ = std::max(highest_, incarnation);
  }
  return {};
}

// From the checkpoint on, if the files say that it counts; else the files that lie end to end.
void Rebuild::choose_start() {
  const auto& logs = names_.logs;
  if (checkpoint_) {
    const auto begins = [&](Lsn start) { return names_.find(start) != nullptr; };
    const bool segments = std::any_of(checkpoint_->segments.begin(), checkpoint_->segments.end(),
                                      [&](const SegmentName& segment) { return begins(segment.start); });
    if (segments || begins(checkpoint_->from) || logs.empty()) {
      superblock_.start = checkpoint_->from;
      superblock_.checkpoint = checkpoint_->generation;
      superblock_.has_checkpoint = true;
      superblock_.awaits_file = logs.empty() || logs.back().start < checkpoint_->from;
      return;
    }
    // All that it told of was given back: it says nothing any more, and nor does one of its generation.
    superblock_.checkpoint = checkpoint_->generation + 1;
  }
  superblock_.awaits_file = logs.empty();
  if (logs.empty()) return;
  std::size_t first = logs.size() - 1;
  while (first > 0 && logs[first - 1].start.value + logs[first - 1].bytes >= logs[first].start.value) --first;
  superblock_.start = logs[first].start;
}

void Rebuild::take_header(std::size_t file, std::uint64_t offset, const BatchHeader& header) {
  const Lsn at{files_[file].start.value + offset};
  if (header.incarnation > last_) {
    const bool first = header.index == 0 || at == chain_end_;
    begins_.push_back({first ? at : std::max(chain_end_, superblock_.start), header.incarnation});
    last_ = header.incarnation;
  }
  superblock_.durable = std::max(superblock_.durable, header.durable_lsn);
  chain_end_ = (header.flags & batch_ends_file) != 0 ? files_[file].end() : Lsn{at.value + header.bytes};
}

Status Rebuild::walk_file(std::size_t file) {
  const LogFile& of = files_[file];
  for (std::uint64_t offset = 0; offset + batch_alignment <= of.bytes;) {
    const auto found = reader_->look_at_header(file, offset, {std::max(last_, 1U), UINT32_MAX});
    if (!found) return std::unexpected(found.error());
    if (!found->has_header) {
      offset += batch_alignment;
      continue;
    }
    take_header(file, offset, found->header);
    offset = chain_end_.value - of.start.value;
  }
  return {};
}

Status Rebuild::walk() {
  chain_end_ = superblock_.start;
  for (std::size_t i = 0; i < names_.logs.size(); ++i) {
    LogFile& file = files_[i];
    if (i + 1 < names_.logs.size())
      file.bytes = std::min(file.bytes, names_.logs[i + 1].start.value - file.start.value);
    if (file.start >= superblock_.start) WEIR_TRY(walk_file(i));
  }
  return {};
}

Result<FoundSuperblock> Rebuild::run() {
  checkpoint_ = newest_checkpoint(disk_, directory_);
  WEIR_TRY(open_files());
  for (std::size_t i = 0; i < files_.size(); ++i) WEIR_TRY(vote(i));
  if (votes_.empty())
    return fail(ErrorCode::corrupt,
                directory_ + ": no batch is left that a superblock could be rebuilt from");
  const auto best = std::max_element(votes_.begin(), votes_.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  superblock_.identity = best->first;  // whose upper half is 0: this is its salt
  choose_start();
  reader_.emplace(disk_, files_, superblock_.salt());
  WEIR_TRY(walk());
  superblock_.incarnation = last_ > 0 ? last_ : highest_;
  superblock_.begin = superblock_.start;
  if (!begins_.empty()) {
    superblock_.begin = std::max(begins_.back().begin, superblock_.start);
    begins_.pop_back();
    const std::size_t most = std::min(begins_.size(), earlier_incarnations_max);
    superblock_.earlier.assign(begins_.end() - static_cast<std::ptrdiff_t>(most), begins_.end());
  }
  superblock_.durable = std::max({superblock_.durable, superblock_.begin, superblock_.start});
  if (superblock_.has_checkpoint) superblock_.durable = std::max(superblock_.durable, checkpoint_->to);
  return FoundSuperblock{superblock_,
                         fmt::format("rebuilt from the headers of {} batches{}", best->second,
                                     superblock_.has_checkpoint ? " and the checkpoint" : ""),
                         false};
}

}  // namespace

Result<FoundSuperblock> rebuild_superblock(runtime::Disk& disk, const std::string& directory,
                                           const ShardFiles& files) {
  if (const auto right = put_right(disk, directory))
    return FoundSuperblock{*right, "one bit was wrong in it: put right", true};
  return Rebuild(disk, directory, files).run();
}

}  // namespace weir::storage
