#include "storage/repair_checkpoint.h"

#include <algorithm>
#include <utility>

#include "base/cursor.h"
#include "storage/checkpoint.h"
#include "storage/listing.h"
#include "storage/log_files.h"
#include "storage/message_census.h"
#include "storage/record_check.h"

namespace weir::storage {
namespace {

class Rebuild {
 public:
  Rebuild(runtime::Disk& disk, const std::string& directory, const Superblock& superblock,
          const ShardFiles& names)
      : disk_(disk), directory_(directory), superblock_(superblock), names_(names) {}

  Result<RebuiltCheckpoint> run();

 private:
  Status read(const ShardFiles::File& name, const RecordVisit& visit);
  Status take_segment(const ShardFiles::File& name);
  void is_there(MessageCensus& census, QueueId queue, Seq seq) {
    census.there(queue, {seq, 1, false, 0});
    census.next(queue, Seq{seq.value + 1});
  }
  void enqueued(MessageCensus& census, const Record& record);

  runtime::Disk& disk_;
  const std::string& directory_;
  const Superblock& superblock_;
  const ShardFiles& names_;
  MessageCensus census_;  // of segments
  MessageCensus spare_;   // of files that nothing names
  RebuiltCheckpoint rebuilt_;
};

Status Rebuild::read(const ShardFiles::File& name, const RecordVisit& visit) {
  const auto handle = disk_.open(segment_path(directory_, name.start));
  if (!handle) return std::unexpected(handle.error());
  LogFile file;
  file.start = name.start;
  file.bytes = std::min(name.bytes, file_bytes_limit);
  file.handle = *handle;
  const auto checked =
      check_records(disk_, file, superblock_.salt(), {1, superblock_.incarnation}, 0, file.bytes, visit);
  disk_.close(*handle);
  return checked ? Status{} : std::unexpected(checked.error());
}

void Rebuild::enqueued(MessageCensus& census, const Record& record) {
  is_there(census, record.queue, record.seq);
  Reader further(record.extension);
  while (further.left() >= shared_with_bytes) {
    const QueueId queue{further.le<std::uint32_t>()};
    is_there(census, queue, Seq{further.le<std::uint64_t>()});
  }
}

// Its listing tells what was needed when the log left it behind; without one, all of it is taken.
Status Rebuild::take_segment(const ShardFiles::File& name) {
  ++rebuilt_.segments;
  const auto bytes = disk_.read_file_now(listing_path(directory_, name.start));
  if (!bytes && bytes.error().code != ErrorCode::not_found) return std::unexpected(bytes.error());
  if (bytes) {
    if (auto listing = ListingReader::open(*bytes, name.start)) {
      for (ListedMessage message; listing->next(message);) is_there(census_, message.queue, message.seq);
      return {};
    }
  }
  return read(name, [this](const Record& record, std::uint64_t, std::size_t) {
    if (record.type == RecordType::enqueue) enqueued(census_, record);
  });
}

Result<RebuiltCheckpoint> Rebuild::run() {
  CheckpointHeader header{
      superblock_.checkpoint, superblock_.start, std::max(superblock_.durable, superblock_.start), {}};
  std::vector<ShardFiles::File> spares;
  for (const ShardFiles::File& log : names_.logs) {
    if (log.start >= superblock_.start || log.bytes == 0) continue;
    if (!names_.has_listing(log.start)) {
      spares.push_back(log);
      continue;
    }
    header.segments.push_back({log.start, std::min(log.bytes, file_bytes_limit)});
    WEIR_TRY(take_segment(log));
  }
  for (const ShardFiles::File& cleaned : names_.cleaned) {
    if (cleaned.bytes == 0) continue;
    header.segments.push_back({cleaned.start, std::min(cleaned.bytes, file_bytes_limit)});
    WEIR_TRY(take_segment(cleaned));
  }
  for (const ShardFiles::File& spare : spares) {
    WEIR_TRY(read(spare, [this](const Record& record, std::uint64_t, std::size_t) {
      if (record.type == RecordType::enqueue) enqueued(spare_, record);
    }));
  }
  for (const ShardFiles::File& log : names_.logs) {
    const bool of_window = log.start >= superblock_.start;
    if (of_window && spares.empty()) continue;  // the start itself reads them
    WEIR_TRY(read(log, [&](const Record& record, std::uint64_t, std::size_t) {
      if (record.type != RecordType::settle) return;
      spare_.take(record);
      if (!of_window) census_.take(record);
    }));
  }
  bool spare_is_needed = false;
  QueueId queue;
  spare_.for_each([&](QueueId id, Seq) { queue = id; },
                  [&](Seq seq) { spare_is_needed = spare_is_needed || !census_.has(queue, seq); });
  for (const ShardFiles::File& spare : spares) {
    const std::string path = log_file_path(directory_, spare.start);
    if (spare_is_needed) rebuilt_.spares.push_back(path.substr(path.rfind('/') + 1));
  }
  CheckpointBuilder builder;
  census_.for_each([&](QueueId id, Seq next) { builder.begin_queue(id, next); },
                   [&](Seq seq) {
                     builder.add(seq, true, 0);
                     ++rebuilt_.messages;
                   });
  for (const auto& [id, count] : census_.counts()) {
    if (count.messages > 0) rebuilt_.queues.push_back(id);
  }
  rebuilt_.file = builder.finish(header);
  return std::move(rebuilt_);
}

}  // namespace

Result<RebuiltCheckpoint> rebuild_checkpoint(runtime::Disk& disk, const std::string& directory,
                                             const Superblock& superblock, const ShardFiles& files) {
  return Rebuild(disk, directory, superblock, files).run();
}

}  // namespace weir::storage
