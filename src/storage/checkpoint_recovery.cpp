#include "storage/checkpoint_recovery.h"

#include <utility>

#include "base/log.h"
#include "storage/listing.h"
#include "storage/log_files.h"
#include "storage/log_reader.h"
#include "storage/salvage.h"
#include "storage/shard_files.h"

namespace weir::storage {
namespace {

class SegmentReplay {
 public:
  SegmentReplay(runtime::Disk& disk, const std::string& directory, const Superblock& superblock,
                ReplayVisitor& visitor, RecoveryReport& report)
      : disk_(disk), directory_(directory), superblock_(superblock), visitor_(visitor), report_(report) {}

  Status run(LogFile& segment) {
    const std::string path = listing_path(directory_, segment.start);
    const auto file = disk_.read_file_now(path);
    if (!file && file.error().code != ErrorCode::not_found) return std::unexpected(file.error());
    if (file) {
      auto listing = ListingReader::open(*file, segment.start);
      if (listing) {
        take(segment, *listing);
        segment.listed = true;
        return {};
      }
      log_error("journal", "{}: {}; its file is read instead", path, listing.error().message);
    } else {
      log_warning("journal", "{} is missing; its file is read instead", path);
    }
    return scan(segment);
  }

 private:
  void take(const LogFile& segment, ListingReader& listing) {
    for (ListedMessage message; listing.next(message);) {
      if (message.offset >= segment.bytes || message.bytes > segment.bytes - message.offset) continue;
      visitor_.on_listed(message, Location(segment.slot, message.offset, message.bytes));
      ++report_.listed;
    }
  }

  // All of its messages, also those that were settled long ago: the queues know what was there.
  Status scan(const LogFile& segment) {
    const std::vector<LogFile> files{segment};
    LogReader reader(disk_, files, superblock_.salt());
    for (std::uint64_t offset = 0; offset + batch_alignment <= segment.bytes;) {
      const auto found = reader.look(0, offset, {1, superblock_.incarnation});
      if (!found) return std::unexpected(found.error());
      if (!found->has_header) {
        offset += batch_alignment;
        continue;
      }
      const Salvage salvage = salvage_batch(found->header, found->bytes);
      for (const std::size_t at : salvage.offsets) {
        const Record record = parse_record(found->bytes.subspan(at));
        if (record.type != RecordType::enqueue) continue;
        const Location location(segment.slot, offset + at, record_span(found->bytes.subspan(at)));
        visitor_.on_record(record, location, Lsn{segment.start.value + offset + at});
      }
      offset += found->header.bytes;
    }
    return {};
  }

  runtime::Disk& disk_;
  const std::string& directory_;
  const Superblock& superblock_;
  ReplayVisitor& visitor_;
  RecoveryReport& report_;
};

}  // namespace

Result<std::optional<LoadedCheckpoint>> load_checkpoint(runtime::Disk& disk, const std::string& directory,
                                                        const Superblock& superblock) {
  std::optional<LoadedCheckpoint> newest;
  for (int copy = 0; copy < 2; ++copy) {
    const std::string path = checkpoint_path(directory, copy);
    auto file = disk.read_file_now(path);
    if (!file) {
      if (file.error().code == ErrorCode::not_found) continue;
      return std::unexpected(file.error());
    }
    const auto reader = CheckpointReader::open(*file);
    if (!reader) {
      log_error("journal", "{}: {}", path, reader.error().message);
      continue;
    }
    const CheckpointHeader& header = reader->header();
    // One that is newer than the superblock was whole, and the log's start not yet moved.
    if (header.generation < superblock.checkpoint || header.from < superblock.start) continue;
    if (newest && newest->header.generation >= header.generation) continue;
    newest = LoadedCheckpoint{std::move(*file), header};
  }
  if (!newest && superblock.has_checkpoint)
    return fail(ErrorCode::corrupt,
                directory + ": neither copy of the checkpoint is whole; `weir store repair` makes a new one");
  return newest;
}

Result<std::vector<LogFile>> replay_checkpoint(runtime::Disk& disk, const std::string& directory,
                                               const Superblock& superblock,
                                               const LoadedCheckpoint& checkpoint, ReplayVisitor& visitor,
                                               RecoveryReport& report) {
  auto reader = CheckpointReader::open(checkpoint.file);
  if (!reader) return std::unexpected(reader.error());
  QueueId queue;
  Seq next;
  while (reader->next_queue(queue, next)) {
    for (CheckpointRun run; reader->next_run(run);) visitor.on_messages(queue, run);
    visitor.on_queue(queue, next);
  }
  if (!reader->ok()) return fail(ErrorCode::corrupt, directory + ": the checkpoint can't be read");

  std::vector<LogFile> segments;
  SegmentReplay replay(disk, directory, superblock, visitor, report);
  for (const SegmentName& name : checkpoint.header.segments) {
    const auto handle = disk.open(segment_path(directory, name.start));
    if (!handle) {
      if (handle.error().code != ErrorCode::not_found) return std::unexpected(handle.error());
      // All of it was settled after the checkpoint; if not, it will be missed.
      log_info("journal", "{} is gone", segment_path(directory, name.start));
      continue;
    }
    LogFile segment;
    segment.start = name.start;
    segment.bytes = name.bytes;
    segment.handle = *handle;
    segment.segment = true;
    segment.recorded = true;
    segment.slot = static_cast<std::uint32_t>(slots_max - 1 - segments.size());
    segments.push_back(segment);
    WEIR_TRY(replay.run(segments.back()));
  }
  report.segments = segments.size();
  return segments;
}

}  // namespace weir::storage
