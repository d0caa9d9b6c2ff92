#include "storage/log_reader.h"

#include <algorithm>
#include <cstring>

namespace weir::storage {
namespace {

constexpr std::size_t buffer_bytes = 1U << 20;
constexpr int tries_max = 3;

}  // namespace

Result<Bytes> LogReader::view(std::size_t file, std::uint64_t offset, std::size_t bytes) {
  const LogFile& log_file = files_[file];
  if (offset >= log_file.bytes) return Bytes{};
  bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, log_file.bytes - offset));
  const bool same_file = file == file_ && offset >= offset_;
  if (same_file && offset + bytes <= offset_ + held_)
    return Bytes(buffer_->data() + (offset - offset_), bytes);
  const std::uint64_t block = offset / batch_alignment * batch_alignment;
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(
      std::max(align_up(bytes + (offset - block), batch_alignment), buffer_bytes), log_file.bytes - block));
  // What is there already from `block` on moves to the front, in whole blocks: a file that was cut off may end within one.
  const bool overlaps = same_file && block >= offset_ && block < offset_ + held_;
  const std::size_t kept =
      overlaps ? static_cast<std::size_t>(offset_ + held_ - block) / batch_alignment * batch_alignment : 0;
  ChunkRef next = buffer_ && buffer_->capacity() >= wanted ? buffer_ : ChunkRef::adopt(Chunk::make(wanted));
  if (kept > 0) std::memmove(next->data(), buffer_->data() + (block - offset_), kept);
  buffer_ = std::move(next);
  file_ = SIZE_MAX;
  Result<std::size_t> got = 0;
  for (int tries = 0; tries < tries_max; ++tries) {
    got = disk_.read_now(log_file.handle, block + kept, MutableBytes(buffer_->data() + kept, wanted - kept));
    if (got) break;
  }
  if (!got) return std::unexpected(got.error());
  file_ = file;
  offset_ = block;
  held_ = kept + *got;
  const std::size_t skip = static_cast<std::size_t>(offset - block);
  return Bytes(buffer_->data() + skip, std::min(bytes, held_ - std::min(held_, skip)));
}

Result<LogReader::Found> LogReader::look_at_header(std::size_t file, std::uint64_t offset,
                                                   Incarnations incarnations) {
  Found found;
  const auto bytes = view(file, offset, batch_header_bytes);
  if (!bytes) return std::unexpected(bytes.error());
  const auto header = decode_batch_header(*bytes, salt_);
  if (!header) return found;
  const LogFile& log_file = files_[file];
  found.header = *header;
  found.has_header = header->lsn.value == log_file.start.value + offset &&
                     header->incarnation >= incarnations.least && header->incarnation <= incarnations.most &&
                     header->bytes <= log_file.bytes - offset;
  found.is_stale = !found.has_header;
  return found;
}

Result<LogReader::Found> LogReader::look(std::size_t file, std::uint64_t offset, Incarnations incarnations) {
  auto found = look_at_header(file, offset, incarnations);
  if (!found || !found->has_header) return found;
  const auto bytes = view(file, offset, found->header.bytes);
  if (!bytes) return std::unexpected(bytes.error());
  found->bytes = *bytes;
  found->whole = is_whole(found->header, *bytes);
  return found;
}

bool is_whole(const BatchHeader& header, Bytes batch) {
  if (batch.size() < header.bytes) return false;
  std::size_t at = batch_header_bytes;
  RecordCrcs crcs;
  for (std::uint32_t i = 0; i < header.records; ++i) {
    const Bytes rest = batch.subspan(at);
    const std::size_t span = record_span(rest);
    if (span == 0 || span > rest.size() || !decode_record(rest)) return false;
    crcs.add(load_le<std::uint32_t>(rest.data()));
    at += span;
  }
  return crcs.take() == header.crc_records;
}

}  // namespace weir::storage
