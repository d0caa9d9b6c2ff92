#include "storage/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "storage/checkpoint_recovery.h"
#include "storage/log_scan.h"
#include "storage/shard_files.h"

namespace weir::storage {
namespace {

constexpr std::string_view log_prefix = "j-";
constexpr std::string_view cleaned_prefix = "g-";
constexpr std::string_view listing_prefix = "i-";
constexpr std::uint64_t usable_file_bytes_min = 2 * batch_alignment;
constexpr std::uint64_t first_file_bytes_least = 1U << 20;  // where the disk has no room for what was asked
constexpr std::size_t rewrite_bytes = 1U << 20;

class Recovery {
 public:
  Recovery(runtime::Disk& disk, const JournalOptions& options, ReplayVisitor& visitor)
      : disk_(disk), options_(options), visitor_(visitor) {}
  ~Recovery() {
    for (const auto* files : {&files_, &segments_}) {
      for (const LogFile& file : *files) {
        if (file.ready()) disk_.close(file.handle);
      }
    }
  }
  Recovery(const Recovery&) = delete;
  Recovery& operator=(const Recovery&) = delete;

  Result<RecoveredLog> run();

 private:
  Status find_files();
  Status make_superblock();
  Status take_file(Lsn start, std::uint64_t bytes);
  Status take_checkpoint();
  Status remove_unlisted();
  Status open_files();
  Status make_file(Lsn start, std::uint64_t bytes);
  Status secure_tail(Lsn from, Lsn end);
  Status place_end(Lsn end);
  Status set_aside(std::size_t from_index);
  std::string path(Lsn start) const { return log_file_path(options_.directory, start); }

  runtime::Disk& disk_;
  const JournalOptions& options_;
  ReplayVisitor& visitor_;
  Superblock superblock_;
  std::vector<std::pair<Lsn, std::uint64_t>> names_;             // start and bytes, ascending
  std::vector<std::pair<Lsn, std::string>> cleaned_, listings_;  // start and name
  std::vector<LogFile> files_;
  std::vector<LogFile> segments_;
  std::vector<SpareFile> spares_;
  std::size_t append_index_ = 0;
  RecoveryReport report_;
};

Result<RecoveredLog> Recovery::run() {
  WEIR_TRY(disk_.make_directories(options_.directory));
  WEIR_TRY(find_files());
  WEIR_TRY(make_superblock());
  WEIR_TRY(take_checkpoint());
  WEIR_TRY(remove_unlisted());
  WEIR_TRY(open_files());
  report_.start = superblock_.start;
  report_.clean = superblock_.clean;
  report_.seqs_end = superblock_.seqs_end;
  LogScan scan(disk_, files_, superblock_, visitor_, report_);
  const auto end = scan.run();
  if (!end) return std::unexpected(end.error());
  WEIR_TRY(secure_tail(scan.known_durable(), *end));
  WEIR_TRY(place_end(*end));

  superblock_.begin_incarnation(*end);
  superblock_.durable = *end;
  superblock_.start = std::min(files_.front().start, *end);
  superblock_.clean = superblock_.awaits_file = false;
  superblock_.forget_before(superblock_.start);
  WEIR_TRY(store_superblock_now(disk_, options_.directory, superblock_));
  report_.end = *end;
  report_.incarnation = superblock_.incarnation;
  report_.files = append_index_ + 1;
  RecoveredLog recovered;
  recovered.segments = std::exchange(segments_, {});
  recovered.files = {std::exchange(files_, {}), append_index_, std::move(spares_), superblock_};
  recovered.report = report_;
  return recovered;
}

Status Recovery::find_files() {
  const auto entries = disk_.list(options_.directory);
  if (!entries) return std::unexpected(entries.error());
  for (const runtime::DirectoryEntry& entry : *entries) {
    if (const auto start = log_file_start(entry.name)) {
      names_.emplace_back(*start, entry.bytes / batch_alignment * batch_alignment);
    } else if (const auto cleaned = cleaned_file_start(entry.name)) {
      cleaned_.emplace_back(*cleaned, entry.name);
    } else if (const auto listed = listing_start(entry.name)) {
      listings_.emplace_back(*listed, entry.name);
    } else if (entry.name.ends_with(runtime::temporary_suffix) &&
               (entry.name.starts_with(log_prefix) || entry.name.starts_with(cleaned_prefix) ||
                entry.name.starts_with(listing_prefix) || entry.name.starts_with("super.") ||
                entry.name.starts_with("checkpoint."))) {
      WEIR_TRY(disk_.remove_now(options_.directory + "/" + entry.name));
    }
  }
  std::sort(names_.begin(), names_.end());
  return {};
}

Status Recovery::make_superblock() {
  const auto found = load_superblock(disk_, options_.directory);
  if (!found) {
    const bool damaged = found.error().code == ErrorCode::corrupt;
    return fail(found.error().code,
                found.error().message + (damaged ? "; `weir store repair` rebuilds it" : ""));
  }
  if (*found) {
    superblock_ = **found;
    report_.first_start = superblock_.incarnation == 0;
    return {};
  }
  if (!names_.empty())
    return fail(ErrorCode::corrupt,
                options_.directory + ": journal files without a superblock; `weir store repair` makes one");
  report_.first_start = true;
  superblock_.identity = options_.random_seed;
  return store_superblock_now(disk_, options_.directory, superblock_);
}

Status Recovery::take_checkpoint() {
  const auto loaded = load_checkpoint(disk_, options_.directory, superblock_);
  if (!loaded) return std::unexpected(loaded.error());
  if (!*loaded) return {};
  const LoadedCheckpoint& checkpoint = **loaded;
  auto segments = replay_checkpoint(disk_, options_.directory, superblock_, checkpoint, visitor_, report_);
  if (!segments) return std::unexpected(segments.error());
  segments_ = std::move(*segments);
  superblock_.start = checkpoint.header.from;
  superblock_.checkpoint = checkpoint.header.generation;
  superblock_.has_checkpoint = true;
  // It was not written before all until there was durable.
  superblock_.durable = std::max(superblock_.durable, checkpoint.header.to);
  return {};
}

// What the cleaner or a checkpoint had not finished: everything in them is somewhere else too.
Status Recovery::remove_unlisted() {
  for (const auto* files : {&cleaned_, &listings_}) {
    for (const auto& [start, name] : *files) {
      const bool needed = std::any_of(segments_.begin(), segments_.end(),
                                      [at = start](const LogFile& segment) { return segment.start == at; });
      if (!needed) WEIR_TRY(disk_.remove_now(options_.directory + "/" + name));
    }
  }
  return {};
}

Status Recovery::open_files() {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto [start, bytes] = names_[i];
    const auto is_it = [at = start](const LogFile& segment) { return segment.start == at; };
    if (std::any_of(segments_.begin(), segments_.end(), is_it)) continue;
    if (start < superblock_.start) {
      spares_.push_back({path(start), bytes});
    } else if (bytes < usable_file_bytes_min) {
      WEIR_TRY(disk_.remove_now(path(start)));
    } else {
      const std::uint64_t until_next =
          i + 1 < names_.size() ? names_[i + 1].first.value - start.value : UINT64_MAX;
      WEIR_TRY(take_file(start, std::min({bytes, until_next, file_bytes_limit})));
    }
  }
  if (files_.size() + segments_.size() > slots_max - slots_reserve)
    return fail(ErrorCode::corrupt, "more journal files than there can be");
  if (!files_.empty()) return {};
  if (!report_.first_start && !superblock_.awaits_file)
    return fail(
        ErrorCode::corrupt,
        options_.directory + ": the journal's files are missing; `weir store repair` goes on without them");
  return make_file(superblock_.start, options_.first_file_bytes);
}

Status Recovery::take_file(Lsn start, std::uint64_t bytes) {
  const auto handle = disk_.open(path(start));
  if (!handle) return std::unexpected(handle.error());
  LogFile file;
  file.start = start;
  file.bytes = bytes;
  file.handle = *handle;
  file.slot = static_cast<std::uint32_t>(files_.size());
  files_.push_back(std::move(file));
  return {};
}

Status Recovery::make_file(Lsn start, std::uint64_t bytes) {
  bytes = std::max(align_up(bytes, batch_alignment), usable_file_bytes_min);
  if (!spares_.empty() && spares_.back().bytes >= usable_file_bytes_min) {
    const SpareFile spare = std::move(spares_.back());
    spares_.pop_back();
    WEIR_TRY(disk_.rename_now(spare.path, path(start)));
    return take_file(start, std::min(spare.bytes, file_bytes_limit));
  }
  Status made = disk_.prepare_file_now(path(start), bytes);
  while (!made && made.error().code == ErrorCode::no_space && bytes / 2 >= first_file_bytes_least) {
    bytes = bytes / 2 / batch_alignment * batch_alignment;
    made = disk_.prepare_file_now(path(start), bytes);
  }
  if (!made) return made;
  return take_file(start, bytes);
}

// A process that died may have left bytes that are in the machine's memory and not on the disk yet: what was read there
// counts from now on, so it is written once more.
Status Recovery::secure_tail(Lsn from, Lsn end) {
  const ChunkRef buffer = ChunkRef::adopt(Chunk::make(from < end ? rewrite_bytes : batch_alignment));
  for (const LogFile& file : files_) {
    std::uint64_t at = std::max(from, file.start).value;
    const std::uint64_t stop = std::min(end, file.end()).value;
    while (at < stop) {
      const MutableBytes part(buffer->data(),
                              static_cast<std::size_t>(std::min<std::uint64_t>(stop - at, rewrite_bytes)));
      const auto got = disk_.read_now(file.handle, at - file.start.value, part);
      if (!got) return std::unexpected(got.error());
      if (*got != part.size()) return fail(ErrorCode::io_error, path(file.start) + ": shorter than it was");
      WEIR_TRY(disk_.write_now(file.handle, at - file.start.value, part));
      at += part.size();
    }
  }
  return {};
}

// Finds or makes the file that the log ends in; those behind it, end to end, are ready for what comes.
Status Recovery::place_end(Lsn end) {
  std::size_t index = 0;
  while (index < files_.size() && files_[index].end() <= end) ++index;
  if (index == files_.size() || files_[index].start > end) {
    WEIR_TRY(set_aside(index));
    const std::uint64_t bytes = files_.empty() ? options_.first_file_bytes : files_.back().bytes;
    WEIR_TRY(make_file(end, std::clamp(bytes, options_.first_file_bytes, options_.file_bytes_max)));
  }
  append_index_ = index;
  std::size_t chained = index + 1;
  while (chained < files_.size() && files_[chained].start == files_[chained - 1].end()) ++chained;
  return set_aside(chained);
}

// Nothing is deleted because nobody knows what it is.
Status Recovery::set_aside(std::size_t from_index) {
  if (from_index == files_.size()) return {};
  const std::string aside = options_.directory + "/lost+found";
  WEIR_TRY(disk_.make_directories(aside));
  while (files_.size() > from_index) {
    const LogFile& file = files_.back();
    log_warning("journal", "{} does not belong to the log: it goes to lost+found", path(file.start));
    disk_.close(file.handle);
    const std::string from = path(file.start);
    const std::string to = log_file_path(aside, file.start);
    files_.pop_back();
    WEIR_TRY(disk_.rename_now(from, to));
  }
  return {};
}

}  // namespace

Result<RecoveredLog> recover_log(runtime::Disk& disk, const JournalOptions& options, ReplayVisitor& visitor) {
  return Recovery(disk, options, visitor).run();
}

}  // namespace weir::storage
