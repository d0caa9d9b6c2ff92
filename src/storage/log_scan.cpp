#include "storage/log_scan.h"

#include <algorithm>
#include <string>

#include "base/log.h"
#include "storage/salvage.h"

namespace weir::storage {

LogScan::LogScan(runtime::Disk& disk, const std::vector<LogFile>& files, const Superblock& superblock,
                 ReplayVisitor& visitor, RecoveryReport& report)
    : files_(files),
      superblock_(superblock),
      visitor_(visitor),
      report_(report),
      reader_(disk, files, superblock.salt()),
      at_(superblock.start),
      known_durable_(superblock.durable),
      seen_end_(superblock.start) {}

Result<Lsn> LogScan::run() {
  for (std::size_t file = 0; file < files_.size() && !ended_;) {
    if (at_ < files_[file].start) {
      pass_gap(file);
    } else if (at_ >= files_[file].end()) {
      ++file;
    } else {
      WEIR_TRY(step(file));
    }
  }
  if (!ended_ && at_ < known_durable_) damaged(known_durable_, 0, true);
  report_.torn_bytes = std::max(seen_end_, at_).value - at_.value;
  return at_;
}

Superblock::Range LogScan::incarnations_at(Lsn at) const {
  const Superblock::Range range = superblock_.incarnations_at(at);
  return {std::max(range.least, incarnation_last_), range.most};
}

Lsn LogScan::after(std::size_t file, const BatchHeader& header) const {
  return (header.flags & batch_ends_file) != 0 ? files_[file].end() : Lsn{header.lsn.value + header.bytes};
}

Status LogScan::step(std::size_t file) {
  const auto found = reader_.look(file, at_.value - files_[file].start.value, incarnations_at(at_));
  if (!found) return std::unexpected(found.error());
  if (found->whole) {
    replay(file, *found);
    return {};
  }
  const bool clean_end = superblock_.clean && at_ == superblock_.durable;
  if (!clean_end && at_ >= known_durable_) WEIR_TRY(look_ahead(file));
  if (at_ < known_durable_) return pass_damage(file, *found);
  if (found->has_header) seen_end_ = std::max(seen_end_, after(file, found->header));
  ended_ = true;
  return {};
}

// What was in flight with the batch that is missing here, or came after it, says in its header what was durable.
Status LogScan::look_ahead(std::size_t file) {
  const auto take = [this](std::size_t of_file, const LogReader::Found& found) {
    if (!found.has_header) return;
    known_durable_ = std::max(known_durable_, found.header.durable_lsn);
    seen_end_ = std::max(seen_end_, after(of_file, found.header));
  };
  const std::uint64_t begin = at_.value - files_[file].start.value + batch_alignment;
  for (std::uint64_t offset = begin; offset < files_[file].bytes; offset += batch_alignment) {
    const Lsn place{files_[file].start.value + offset};
    const auto found = reader_.look_at_header(file, offset, incarnations_at(place));
    if (!found) return std::unexpected(found.error());
    take(file, *found);
  }
  for (std::size_t later = file + 1; later < files_.size(); ++later) {
    const auto found = reader_.look_at_header(later, 0, incarnations_at(files_[later].start));
    if (!found) return std::unexpected(found.error());
    take(later, *found);
  }
  return {};
}

// The next place behind the damage at at_ where a batch begins; the known durable end if there is none before it.
Result<Lsn> LogScan::next_header(std::size_t file) {
  std::uint64_t offset = at_.value - files_[file].start.value + batch_alignment;
  for (; file < files_.size(); ++file, offset = 0) {
    for (; offset < files_[file].bytes; offset += batch_alignment) {
      const Lsn place{files_[file].start.value + offset};
      if (place >= known_durable_) return known_durable_;
      const auto found = reader_.look_at_header(file, offset, incarnations_at(place));
      if (!found) return std::unexpected(found.error());
      if (found->has_header) return place;
    }
  }
  return known_durable_;
}

Status LogScan::pass_damage(std::size_t file, LogReader::Found found) {
  const std::uint64_t offset = at_.value - files_[file].start.value;
  if (!found.has_header && !found.is_stale) {
    const auto header_bytes = reader_.view(file, offset, batch_header_bytes);
    if (!header_bytes) return std::unexpected(header_bytes.error());
    const auto repaired = repair_batch_header(*header_bytes, superblock_.salt(), at_);
    const Superblock::Range incarnations = incarnations_at(at_);
    found.has_header = repaired && repaired->incarnation >= incarnations.least &&
                       repaired->incarnation <= incarnations.most &&
                       repaired->bytes <= files_[file].bytes - offset;
    if (found.has_header) found.header = *repaired;
  }
  Lsn next = found.has_header ? after(file, found.header) : Lsn{};
  if (!found.has_header) {
    const auto header = next_header(file);
    if (!header) return std::unexpected(header.error());
    next = *header;
  }
  const Lsn hole_end =
      found.has_header ? Lsn{at_.value + found.header.bytes} : std::min(next, files_[file].end());
  const std::uint64_t hole = std::min(hole_end.value - at_.value, batch_bytes_limit);
  const auto bytes = reader_.view(file, offset, static_cast<std::size_t>(hole));
  if (!bytes) return std::unexpected(bytes.error());
  std::uint64_t lost = 0;
  bool definitions = true;
  if (found.has_header) {
    incarnation_last_ = found.header.incarnation;
    const Salvage salvage = salvage_batch(found.header, *bytes);
    hand_on(file, offset, *bytes, salvage);
    lost = found.header.records - salvage.offsets.size();
    definitions = tell_lost(found.header, *bytes, salvage);
  } else if (!found.is_stale) {
    hand_on(file, offset, *bytes, salvage_headless(*bytes));
  }
  damaged(next, lost, definitions);
  return {};
}

// True if not all that is lost was of queues for certain.
bool LogScan::tell_lost(const BatchHeader& header, Bytes batch, const Salvage& salvage) const {
  bool definitions = false;
  for (const LostRecord& lost : lost_records(header, batch, salvage)) {
    definitions = definitions || !lost.is_of_queue();
    if (lost.is_of_queue())
      log_error("journal", "the record at {} is damaged: {} of queue {}{}", header.lsn.value + lost.offset,
                lost.type == RecordType::enqueue  ? "a message"
                : lost.type == RecordType::settle ? "settlements"
                                                  : "returned messages",
                lost.queue.value,
                lost.type == RecordType::enqueue ? ", number " + std::to_string(lost.seq.value) : "");
  }
  return definitions;
}

void LogScan::hand_on(std::size_t file, std::uint64_t offset, Bytes bytes, const Salvage& salvage) {
  for (const std::size_t at : salvage.offsets) {
    const Bytes record = bytes.subspan(at);
    emit(file, offset + at, parse_record(record), record_span(record));
  }
}

// A file that should be there is not. The superblock may know less than the files behind the gap.
void LogScan::pass_gap(std::size_t next_file) {
  Lsn known = known_durable_;
  for (std::size_t later = next_file; later < files_.size(); ++later) {
    const auto found = reader_.look_at_header(later, 0, incarnations_at(files_[later].start));
    if (found && found->has_header) known = std::max(known, found->header.durable_lsn);
  }
  known_durable_ = known;
  if (known <= at_) {
    ended_ = true;
  } else {
    damaged(std::min(known, files_[next_file].start), 0, true);
    if (known < files_[next_file].start) ended_ = true;
  }
}

void LogScan::replay(std::size_t file, const LogReader::Found& found) {
  std::size_t at = batch_header_bytes;
  for (std::uint32_t i = 0; i < found.header.records; ++i) {
    const Bytes rest = found.bytes.subspan(at);
    const std::size_t span = record_span(rest);
    emit(file, found.header.lsn.value - files_[file].start.value + at, parse_record(rest), span);
    at += span;
  }
  ++report_.batches;
  incarnation_last_ = found.header.incarnation;
  known_durable_ = std::max(known_durable_, found.header.durable_lsn);
  at_ = after(file, found.header);
}

void LogScan::emit(std::size_t file, std::uint64_t offset, const Record& record, std::size_t span) {
  if (record.type == RecordType::mark) return;
  ++report_.records;
  visitor_.on_record(record, Location(files_[file].slot, offset, span),
                     Lsn{files_[file].start.value + offset});
}

void LogScan::damaged(Lsn to, std::uint64_t records_lost, bool definitions) {
  log_error("journal", "damage between {} and {}: {} records are lost for certain", at_.value, to.value,
            records_lost);
  report_.damaged_bytes += to.value - at_.value;
  report_.records_lost += records_lost;
  if (definitions) report_.definitions_lost_before = to;
  visitor_.on_damage(at_, to, records_lost);
  at_ = to;
}

}  // namespace weir::storage
