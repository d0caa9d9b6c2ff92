#include "storage/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "storage/checkpoint.h"
#include "storage/listing.h"
#include "storage/log_scan.h"
#include "storage/repair_superblock.h"
#include "storage/shard_files.h"
#include "storage/snapshot.h"
#include "storage/superblock.h"

namespace weir::storage {
namespace {

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

class Verification final : private ReplayVisitor {
 public:
  Verification(runtime::Disk& disk, const std::string& directory, const VerifyOptions& options)
      : disk_(disk), directory_(directory), options_(options) {}
  ~Verification() {
    for (const LogFile& file : window_) disk_.close(file.handle);
  }
  Verification(const Verification&) = delete;
  Verification& operator=(const Verification&) = delete;

  Result<ShardReport> run();

 private:
  // Messages that a finding concerns if they are still needed when the whole log has been read.
  struct Candidate {
    std::size_t finding;
    QueueId queue;
    Seq seq;
  };

  // A segment without a listing: nothing is wrong if all of it was settled after the checkpoint.
  struct Unlisted {
    std::string listing;
    std::vector<std::pair<QueueId, Seq>> messages;
  };

  Status look_at_superblocks();
  Status look_at_snapshots();
  Status look_at_checkpoints();
  Status look_at_segments();
  Status look_at_segment(const SegmentName& name);
  Status look_at_window();
  Status look_at_the_rest();
  Status look_inside(VerifiedFile file, const std::string& path, Lsn start);
  void finish();

  std::size_t found(Finding finding) {
    report_.findings.push_back(std::move(finding));
    return report_.findings.size() - 1;
  }
  void count_bytes(std::uint64_t bytes) const {
    if (options_.progress) options_.progress(bytes);
  }
  void tell_damage(const std::string& file, const std::vector<DamagedPlace>& damage);
  void tell_missing(Lsn from, Lsn to);
  // What is lost before this place of the log may have been definitions that no snapshot holds.
  bool concerns_definitions(Lsn end) const {
    return options_.definitions && (!snapshot_ || snapshot_->lsn < end);
  }

  void on_record(const Record& record, Location location, Lsn lsn) override;
  void on_damage(Lsn from, Lsn to, std::uint64_t records_lost) override;
  void on_messages(QueueId, const CheckpointRun&) override {}
  void on_queue(QueueId, Seq) override {}
  void on_listed(const ListedMessage&, Location) override {}

  runtime::Disk& disk_;
  const std::string& directory_;
  const VerifyOptions& options_;
  ShardFiles names_;
  Superblock superblock_;
  bool has_superblock_ = true;
  std::optional<Snapshot> snapshot_;
  bool snapshot_damaged_ = false;
  std::vector<std::byte> checkpoint_file_;
  std::optional<CheckpointHeader> checkpoint_;
  std::vector<LogFile> window_;
  MessageCensus census_;
  std::vector<Candidate> candidates_;
  std::vector<Unlisted> unlisted_;
  std::vector<bool> window_damaged_;
  std::vector<std::size_t> of_messages_;  // findings that concern nothing but messages
  Status status_;                         // of what happened in a call of the scan
  ShardReport report_;
};

Status Verification::look_at_superblocks() {
  std::optional<Superblock> newest;
  for (std::uint64_t side = 0; side < 2; ++side) {
    const std::string path = superblock_path(directory_, side);
    const auto bytes = disk_.read_file_now(path);
    if (!bytes && bytes.error().code != ErrorCode::not_found) return std::unexpected(bytes.error());
    const auto read = bytes ? decode_superblock(*bytes) : Result<Superblock>(std::unexpected(bytes.error()));
    VerifiedFile file{
        name_of(path), FileKind::superblock, bytes ? bytes->size() : 0, read.has_value(), {}, {}};
    if (read) {
      file.note = fmt::format("generation {}, incarnation {}", read->generation, read->incarnation);
      if (!newest || read->generation > newest->generation) newest = *read;
    } else {
      file.note = bytes ? read.error().message : "missing";
      found({file.name, 0, file.bytes, file.note, Severity::harmless, {}});
    }
    report_.files.push_back(std::move(file));
  }
  if (newest) {
    superblock_ = *newest;
    return {};
  }
  if (names_.logs.empty() && report_.files[0].bytes + report_.files[1].bytes == 0) {
    report_.findings.clear();  // never started
    has_superblock_ = false;
    return {};
  }
  for (Finding& finding : report_.findings) finding.severity = Severity::refuses;
  const auto rebuilt = rebuild_superblock(disk_, directory_, names_);
  if (!rebuilt && rebuilt.error().code != ErrorCode::corrupt) return std::unexpected(rebuilt.error());
  has_superblock_ = rebuilt.has_value();
  if (rebuilt) superblock_ = rebuilt->superblock;
  return {};
}

Status Verification::look_at_snapshots() {
  if (!options_.definitions) return {};
  std::vector<std::size_t> damaged;
  for (std::uint64_t side = 0; side < 2; ++side) {
    const std::string path = snapshot_path(directory_, side);
    const auto bytes = disk_.read_file_now(path);
    if (!bytes) {
      if (bytes.error().code != ErrorCode::not_found) return std::unexpected(bytes.error());
      continue;
    }
    auto read = decode_snapshot(*bytes);
    VerifiedFile file{name_of(path), FileKind::snapshot, bytes->size(), read.has_value(), {}, {}};
    if (read) {
      file.note = fmt::format("definitions up to {}", read->lsn.value);
      if (!snapshot_ || read->lsn > snapshot_->lsn) snapshot_ = std::move(*read);
    } else {
      file.note = read.error().message;
      damaged.push_back(found({file.name, 0, file.bytes, file.note, Severity::harmless, {}}));
    }
    report_.files.push_back(std::move(file));
  }
  snapshot_damaged_ = !damaged.empty();
  if (snapshot_damaged_ && (!snapshot_ || snapshot_->lsn < superblock_.start)) {
    for (const std::size_t finding : damaged) report_.findings[finding].severity = Severity::refuses;
  }
  if (snapshot_ && options_.on_definitions) options_.on_definitions(snapshot_->contents);
  return {};
}

Status Verification::look_at_checkpoints() {
  std::vector<std::size_t> damaged;
  for (int copy = 0; copy < 2; ++copy) {
    const std::string path = checkpoint_path(directory_, copy);
    auto bytes = disk_.read_file_now(path);
    if (!bytes) {
      if (bytes.error().code != ErrorCode::not_found) return std::unexpected(bytes.error());
      continue;
    }
    VerifiedFile file{name_of(path), FileKind::checkpoint, bytes->size(), true, {}, {}};
    const auto reader = CheckpointReader::open(*bytes);
    if (reader) {
      const CheckpointHeader& header = reader->header();
      const bool counts = header.generation >= superblock_.checkpoint && header.from >= superblock_.start;
      file.note = fmt::format("generation {}, {} segments, the log from {} on{}", header.generation,
                              header.segments.size(), header.from.value, counts ? "" : ", overtaken");
      if (counts && (!checkpoint_ || header.generation > checkpoint_->generation)) {
        checkpoint_ = header;
        checkpoint_file_ = std::move(*bytes);
      }
    } else {
      file.whole = false;
      file.note = reader.error().message;
      damaged.push_back(found({file.name, 0, file.bytes, file.note, Severity::harmless, {}}));
    }
    report_.files.push_back(std::move(file));
  }
  if (checkpoint_) {
    superblock_.start = checkpoint_->from;
    superblock_.durable = std::max(superblock_.durable, checkpoint_->to);
    return {};
  }
  if (!superblock_.has_checkpoint) return {};
  for (const std::size_t finding : damaged) report_.findings[finding].severity = Severity::refuses;
  if (damaged.empty()) found({"checkpoint.A", 0, 0, "neither copy is there", Severity::refuses, {}});
  return {};
}

Status Verification::look_at_segments() {
  if (!checkpoint_) return {};
  auto reader = CheckpointReader::open(checkpoint_file_);
  QueueId queue;
  Seq next;
  while (reader && reader->next_queue(queue, next)) {
    for (CheckpointRun run; reader->next_run(run);) census_.there(queue, run);
    census_.next(queue, next);
  }
  if (reader && !reader->ok())
    found({"checkpoint.A", 0, 0, "its checksum holds, its contents do not", Severity::refuses, {}});
  for (const SegmentName& name : checkpoint_->segments) WEIR_TRY(look_at_segment(name));
  return {};
}

Status Verification::look_at_segment(const SegmentName& name) {
  const std::string path = segment_path(directory_, name.start);
  VerifiedFile file{name_of(path), FileKind::segment, name.bytes, true, {}, {}};
  const std::string list_path = listing_path(directory_, name.start);
  VerifiedFile listed{name_of(list_path), FileKind::listing, 0, true, {}, {}};
  const auto list_bytes = disk_.read_file_now(list_path);
  const auto listing = list_bytes ? ListingReader::open(*list_bytes, name.start)
                                  : Result<ListingReader>(std::unexpected(list_bytes.error()));
  const auto handle = disk_.open(path);
  if (!handle) {
    if (handle.error().code != ErrorCode::not_found) return std::unexpected(handle.error());
    // It may have been settled whole after the checkpoint; if not, its messages are missed at the end.
    file.note = "gone";
    report_.files.push_back(std::move(file));
    return {};
  }
  LogFile segment;
  segment.start = name.start;
  segment.bytes = name.bytes;
  segment.handle = *handle;
  segment.segment = true;
  Unlisted unlisted{listed.name, {}};
  const auto take = [&](const Record& record, std::uint64_t, std::size_t) {
    if (listing || record.type != RecordType::enqueue) return;
    census_.take(record);
    unlisted.messages.emplace_back(record.queue, record.seq);
  };
  const auto checked =
      check_records(disk_, segment, superblock_.salt(), {1, superblock_.incarnation}, 0, segment.bytes, take);
  disk_.close(*handle);
  if (!checked) return std::unexpected(checked.error());
  count_bytes(segment.bytes);
  file.counts = checked->counts;
  file.whole = checked->damage.empty();
  const std::size_t first_finding = report_.findings.size();
  tell_damage(file.name, checked->damage);
  for (std::size_t i = 0; listing && i < checked->damage.size(); ++i)
    of_messages_.push_back(first_finding + i);
  report_.files.push_back(std::move(file));
  if (!list_bytes) {
    unlisted_.push_back(std::move(unlisted));
    return {};
  }
  listed.bytes = list_bytes->size();
  if (!listing) {
    listed.whole = false;
    listed.note = listing.error().message;
    found({listed.name, 0, listed.bytes, listed.note, Severity::harmless, {}});
    report_.files.push_back(std::move(listed));
    return {};
  }
  ListingReader messages = *listing;
  std::uint64_t count = 0;
  for (ListedMessage message; messages.next(message); ++count) {
    census_.placed(message.queue, message.seq);
    const auto at =
        std::upper_bound(checked->damage.begin(), checked->damage.end(), message.offset + message.bytes - 1,
                         [](std::uint64_t end, const DamagedPlace& damage) { return end < damage.offset; });
    if (at == checked->damage.begin()) continue;
    const auto damage = std::prev(at);
    if (damage->header_only || damage->offset + damage->bytes <= message.offset) continue;
    const auto index = static_cast<std::size_t>(damage - checked->damage.begin());
    candidates_.push_back({first_finding + index, message.queue, message.seq});
  }
  listed.note = fmt::format("{} messages", count);
  report_.files.push_back(std::move(listed));
  return {};
}

// One finding for each place, in order.
void Verification::tell_damage(const std::string& file, const std::vector<DamagedPlace>& damage) {
  for (const DamagedPlace& place : damage) {
    Finding finding{file, place.offset, place.bytes, {}, Severity::loss, {}};
    if (place.header_only) {
      finding.what = "a batch's header does not hold its checksum; its records do not need it";
    } else if (!place.record.legible) {
      finding.what = "this stretch can't be read as batches and records";
    } else {
      constexpr const char* names[] = {
          "", "a message", "settlements", "returned messages", "definitions", "a mark"};
      finding.what = fmt::format("a record of {} does not hold its checksum",
                                 names[static_cast<std::size_t>(place.record.type)]);
    }
    const std::size_t index = found(std::move(finding));
    if (!place.record.legible || place.record.type != RecordType::enqueue) continue;
    candidates_.push_back({index, place.record.queue, place.record.seq});
    if (place.record.is_of_queue()) of_messages_.push_back(index);
  }
}

void Verification::on_record(const Record& record, Location, Lsn lsn) {
  const auto type = static_cast<std::size_t>(record.type);
  if (type < record_types) ++report_.counts.records[type];
  if (record.type != RecordType::meta) return census_.take(record);
  if (!options_.definitions || (snapshot_ && lsn < snapshot_->lsn)) return;
  if (options_.on_definitions) options_.on_definitions(record.payload);
}

// What is lost counts as a message without a place: settlements that come later take it away again.
void Verification::on_damage(Lsn from, Lsn to, std::uint64_t) {
  Lsn at = from;
  for (std::size_t i = 0; i < window_.size() && at < to; ++i) {
    const LogFile& file = window_[i];
    if (file.end() <= at) continue;
    if (at < file.start) tell_missing(at, std::min(to, file.start));
    at = std::max(at, file.start);
    if (at >= to) break;
    const Lsn end = std::min(to, file.end());
    const auto checked = check_records(disk_, file, superblock_.salt(), {1, superblock_.incarnation},
                                       at.value - file.start.value, end.value - file.start.value, {});
    if (!checked) {
      status_ = std::unexpected(checked.error());
      return;
    }
    window_damaged_[i] = true;
    const std::size_t first_finding = report_.findings.size();
    tell_damage(name_of(log_file_path("", file.start)), checked->damage);
    for (std::size_t place = 0; place < checked->damage.size(); ++place) {
      const DamagedPlace& damage = checked->damage[place];
      const LostRecord& record = damage.record;
      if (record.is_of_queue() && record.type == RecordType::enqueue)
        census_.there(record.queue, {record.seq, 1, false, 0});
      const Lsn place_end{file.start.value + damage.offset + damage.bytes};
      if (!damage.header_only && !record.is_of_queue() && concerns_definitions(place_end))
        report_.findings[first_finding + place].severity = Severity::refuses;
    }
    at = end;
  }
  if (at < to) tell_missing(at, to);
}

void Verification::tell_missing(Lsn from, Lsn to) {
  found({name_of(log_file_path("", from)),
         0,
         to.value - from.value,
         "a file of the log is missing",
         concerns_definitions(to) ? Severity::refuses : Severity::loss,
         {}});
}

Status Verification::look_at_window() {
  std::vector<ShardFiles::File> logs;
  for (const ShardFiles::File& log : names_.logs) {
    const bool segment =
        checkpoint_ && std::any_of(checkpoint_->segments.begin(), checkpoint_->segments.end(),
                                   [&](const auto& name) { return name.start == log.start; });
    if (!segment && log.start >= superblock_.start && log.bytes > 0) logs.push_back(log);
  }
  for (std::size_t i = 0; i < logs.size(); ++i) {
    const auto handle = disk_.open(log_file_path(directory_, logs[i].start));
    if (!handle) return std::unexpected(handle.error());
    LogFile file;
    file.start = logs[i].start;
    const std::uint64_t until_next =
        i + 1 < logs.size() ? logs[i + 1].start.value - file.start.value : UINT64_MAX;
    file.bytes = std::min({logs[i].bytes, until_next, file_bytes_limit});
    file.handle = *handle;
    file.slot = static_cast<std::uint32_t>(i);
    window_.push_back(file);
  }
  if (window_.empty()) {
    if (superblock_.incarnation != 0 && !superblock_.awaits_file)
      found({name_of(log_file_path("", superblock_.start)),
             0,
             0,
             "the log's files are missing",
             Severity::refuses,
             {}});
    return {};
  }
  window_damaged_.resize(window_.size());
  RecoveryReport scanned;
  LogScan scan(disk_, window_, superblock_, *this, scanned);
  const auto end = scan.run();
  if (!end) return std::unexpected(end.error());
  WEIR_TRY(std::exchange(status_, {}));
  report_.end = *end;
  report_.torn_bytes = scanned.torn_bytes;
  report_.counts.batches = scanned.batches;
  for (std::size_t i = 0; i < window_.size(); ++i) {
    const LogFile& file = window_[i];
    VerifiedFile verified{
        name_of(log_file_path("", file.start)), FileKind::log, file.bytes, !window_damaged_[i], {}, {}};
    if (file.start > *end) verified.note = "ready for what comes";
    report_.files.push_back(std::move(verified));
    count_bytes(file.bytes);
  }
  return {};
}

// What no start reads.
Status Verification::look_inside(VerifiedFile file, const std::string& path, Lsn start) {
  if (options_.deep && file.bytes >= batch_alignment) {
    const auto handle = disk_.open(path);
    if (!handle) return std::unexpected(handle.error());
    LogFile log;
    log.start = start;
    log.bytes = file.bytes;
    log.handle = *handle;
    std::uint64_t needed = 0;
    const auto checked = check_records(
        disk_, log, superblock_.salt(), {1, UINT32_MAX}, 0, log.bytes,
        [&](const Record& record, std::uint64_t, std::size_t) {
          needed += record.type == RecordType::enqueue && census_.has(record.queue, record.seq) ? 1 : 0;
        });
    disk_.close(*handle);
    if (!checked) return std::unexpected(checked.error());
    count_bytes(file.bytes);
    file.counts = checked->counts;
    if (needed > 0) file.note = fmt::format("{} of its messages are still needed", needed);
  }
  report_.files.push_back(std::move(file));
  return {};
}

Status Verification::look_at_the_rest() {
  const auto named = [&](Lsn start) {
    return checkpoint_ && std::any_of(checkpoint_->segments.begin(), checkpoint_->segments.end(),
                                      [&](const auto& name) { return name.start == start; });
  };
  for (const ShardFiles::File& log : names_.logs) {
    if (named(log.start) || (log.start >= superblock_.start && log.bytes > 0 && has_superblock_)) continue;
    const std::string path = log_file_path(directory_, log.start);
    WEIR_TRY(look_inside({name_of(path), FileKind::spare, log.bytes, true, {}, {}}, path, log.start));
  }
  for (const ShardFiles::File& cleaned : names_.cleaned) {
    if (named(cleaned.start)) continue;
    const std::string path = segment_path(directory_, cleaned.start);
    WEIR_TRY(
        look_inside({name_of(path), FileKind::orphan, cleaned.bytes, true, {}, {}}, path, cleaned.start));
  }
  for (const ShardFiles::File& listing : names_.listings) {
    if (!named(listing.start))
      report_.files.push_back(
          {name_of(listing_path(directory_, listing.start)), FileKind::orphan, listing.bytes, true, {}, {}});
  }
  for (const auto& entry : names_.temporary)
    report_.files.push_back({entry.name, FileKind::temporary, entry.bytes, true, {}, {}});
  for (const auto& entry : names_.others)
    report_.files.push_back({entry.name, FileKind::other, entry.bytes, true, {}, {}});
  const std::string aside = directory_ + "/" + lost_and_found;
  const auto entries = disk_.list(aside);
  if (!entries)
    return entries.error().code == ErrorCode::not_found ? Status{} : std::unexpected(entries.error());
  for (const auto& entry : *entries) {
    VerifiedFile file{
        std::string(lost_and_found) + "/" + entry.name, FileKind::set_aside, entry.bytes, true, {}, {}};
    const auto start = log_file_start(entry.name);
    if (start) {
      WEIR_TRY(look_inside(std::move(file), aside + "/" + entry.name, *start));
    } else {
      report_.files.push_back(std::move(file));
    }
  }
  return {};
}

void Verification::finish() {
  for (Unlisted& unlisted : unlisted_) {
    const bool needed =
        std::any_of(unlisted.messages.begin(), unlisted.messages.end(),
                    [&](const auto& message) { return census_.has(message.first, message.second); });
    if (!needed) continue;
    found({unlisted.listing, 0, 0, "missing", Severity::harmless, {}});
    report_.files.push_back({unlisted.listing, FileKind::listing, 0, false, "missing", {}});
  }
  for (const Candidate& candidate : candidates_) {
    Finding& finding = report_.findings[candidate.finding];
    if (!census_.has(candidate.queue, candidate.seq)) continue;
    auto& messages = finding.messages;
    if (!messages.empty() && messages.back().queue == candidate.queue &&
        messages.back().first.value + messages.back().count == candidate.seq.value) {
      ++messages.back().count;
    } else if (std::none_of(messages.begin(), messages.end(), [&](const ConcernedMessages& known) {
                 return known.queue == candidate.queue && known.first <= candidate.seq &&
                        candidate.seq.value < known.first.value + known.count;
               })) {
      messages.push_back({candidate.queue, candidate.seq, 1});
    }
  }
  for (const std::size_t index : of_messages_) {
    Finding& finding = report_.findings[index];
    if (finding.messages.empty() && finding.severity == Severity::loss) finding.severity = Severity::harmless;
  }
  report_.queues = census_.counts();
}

Result<ShardReport> Verification::run() {
  auto names = list_shard_files(disk_, directory_);
  if (!names) return std::unexpected(names.error());
  names_ = std::move(*names);
  WEIR_TRY(look_at_superblocks());
  WEIR_TRY(look_at_snapshots());
  if (has_superblock_) {
    WEIR_TRY(look_at_checkpoints());
    WEIR_TRY(look_at_segments());
    WEIR_TRY(look_at_window());
  }
  WEIR_TRY(look_at_the_rest());
  report_.start = superblock_.start;
  report_.clean = superblock_.clean;
  finish();
  return std::move(report_);
}

}  // namespace

std::string_view to_string(FileKind kind) {
  switch (kind) {
    case FileKind::superblock: return "superblock";
    case FileKind::snapshot: return "snapshot";
    case FileKind::checkpoint: return "checkpoint";
    case FileKind::log: return "log";
    case FileKind::segment: return "segment";
    case FileKind::listing: return "listing";
    case FileKind::spare: return "spare";
    case FileKind::temporary: return "temporary";
    case FileKind::orphan: return "orphan";
    case FileKind::set_aside: return "set aside";
    case FileKind::other: return "not of the broker";
  }
  return "";
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::harmless: return "harmless";
    case Severity::loss: return "loss";
    case Severity::refuses: return "refuses to start";
  }
  return "";
}

Result<ShardReport> verify_shard(runtime::Disk& disk, const std::string& directory,
                                 const VerifyOptions& options) {
  return Verification(disk, directory, options).run();
}

}  // namespace weir::storage
