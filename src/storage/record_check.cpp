#include "storage/record_check.h"

#include <algorithm>
#include <utility>

namespace weir::storage {
namespace {

class RecordCheck {
 public:
  RecordCheck(runtime::Disk& disk, const LogFile& file, std::uint32_t salt, Superblock::Range incarnations,
              const RecordVisit& visit)
      : files_{file}, salt_(salt), incarnations_(incarnations), visit_(visit), reader_(disk, files_, salt) {}

  Result<CheckedFile> run(std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t at = begin; at + batch_alignment <= end;) {
      auto found = reader_.look(0, at, incarnations_);
      if (!found) return std::unexpected(found.error());
      const auto next = found->has_header ? batch(at, *found) : headless(at, end);
      if (!next) return std::unexpected(next.error());
      at = *next;
    }
    return std::move(checked_);
  }

 private:
  std::uint64_t after(std::uint64_t at, const BatchHeader& header) const {
    return (header.flags & batch_ends_file) != 0 ? files_[0].bytes : at + header.bytes;
  }

  void take(Bytes bytes, std::uint64_t at) {
    const Record record = parse_record(bytes);
    const auto type = static_cast<std::size_t>(record.type);
    if (type < record_types) ++checked_.counts.records[type];
    if (visit_) visit_(record, at, record_span(bytes));
  }

  Result<std::uint64_t> batch(std::uint64_t at, const LogReader::Found& found) {
    ++checked_.counts.batches;
    const Bytes bytes = found.bytes;
    if (found.whole) {
      std::size_t offset = batch_header_bytes;
      for (std::uint32_t i = 0; i < found.header.records; ++i) {
        take(bytes.subspan(offset), at + offset);
        offset += record_span(bytes.subspan(offset));
      }
      return after(at, found.header);
    }
    const Salvage salvage = salvage_batch(found.header, bytes);
    for (const std::size_t offset : salvage.offsets) take(bytes.subspan(offset), at + offset);
    const auto lost = lost_records(found.header, bytes, salvage);
    for (const LostRecord& record : lost)
      checked_.damage.push_back({at + record.offset, record.bytes, false, record});
    // All are there, and are not those that the header speaks of.
    if (lost.empty()) checked_.damage.push_back({at, found.header.bytes, false, {}});
    return after(at, found.header);
  }

  Result<std::uint64_t> headless(std::uint64_t at, std::uint64_t end) {
    const auto header_bytes = reader_.view(0, at, batch_header_bytes);
    if (!header_bytes) return std::unexpected(header_bytes.error());
    const auto header = repair_batch_header(*header_bytes, salt_, Lsn{files_[0].start.value + at});
    if (header && header->bytes <= files_[0].bytes - at) {
      checked_.damage.push_back({at, batch_header_bytes, true, {}});
      const auto bytes = reader_.view(0, at, header->bytes);
      if (!bytes) return std::unexpected(bytes.error());
      return batch(at, {true, false, is_whole(*header, *bytes), *header, *bytes});
    }
    std::uint64_t next = at + batch_alignment;
    for (; next < end; next += batch_alignment) {
      const auto found = reader_.look_at_header(0, next, incarnations_);
      if (!found) return std::unexpected(found.error());
      if (found->has_header) break;
    }
    const auto stretch = static_cast<std::size_t>(std::min(next - at, batch_bytes_limit));
    const auto bytes = reader_.view(0, at, stretch);
    if (!bytes) return std::unexpected(bytes.error());
    for (const std::size_t offset : salvage_headless(*bytes).offsets)
      take(bytes->subspan(offset), at + offset);
    checked_.damage.push_back({at, next - at, false, {}});
    return next;
  }

  const std::vector<LogFile> files_;
  std::uint32_t salt_;
  Superblock::Range incarnations_;
  const RecordVisit& visit_;
  LogReader reader_;
  CheckedFile checked_;
};

}  // namespace

Result<CheckedFile> check_records(runtime::Disk& disk, const LogFile& file, std::uint32_t salt,
                                  Superblock::Range incarnations, std::uint64_t begin, std::uint64_t end,
                                  const RecordVisit& visit) {
  return RecordCheck(disk, file, salt, incarnations, visit).run(begin, end);
}

}  // namespace weir::storage
