#include "storage/scrubber.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "base/log.h"
#include "storage/shard_files.h"

namespace weir::storage {
namespace {

constexpr std::size_t read_bytes_max = 256U << 10;
// A commit that takes longer has the disk for itself.
constexpr std::uint64_t slow_commit_ns = 5'000'000;
constexpr std::size_t told_max = 10'000;
constexpr unsigned tend_ms_min = 10, tend_ms_max = 1'000;

}  // namespace

Scrubber::Scrubber(runtime::Disk& disk, Options options, FileTable& table, LogFiles& files,
                   Segments& segments, const Clock& clock)
    : disk_(disk),
      options_(std::move(options)),
      table_(table),
      files_(files),
      segments_(segments),
      clock_(clock),
      not_before_ns_(clock.monotonic_ns()) {}

unsigned Scrubber::next_tend_ms() const {
  if (options_.bytes_per_second == 0 || stopped_) return 0;
  const std::uint64_t now = clock_.monotonic_ns();
  const std::uint64_t wait_ms = not_before_ns_ > now ? (not_before_ns_ - now) / 1'000'000 : 0;
  return static_cast<unsigned>(std::clamp<std::uint64_t>(wait_ms, tend_ms_min, tend_ms_max));
}

// The first one that begins at next_file_ or behind: segments, then the log's files that are full, then cleaned ones.
LogFile* Scrubber::choose_file(Lsn durable) {
  LogFile* chosen = nullptr;
  const auto consider = [&](LogFile& file) {
    if (file.start < next_file_ || file.making || !file.ready()) return;
    if (chosen == nullptr || file.start < chosen->start) chosen = &file;
  };
  for (const auto& file : segments_.files()) consider(*file);
  files_.for_each_before(std::min(files_.append_file().start, durable), consider);
  return chosen;
}

void Scrubber::tend(Lsn durable, std::uint64_t commit_age_ns) {
  if (options_.bytes_per_second == 0 || stopped_ || reading_ != nullptr) return;
  if (commit_age_ns > slow_commit_ns || clock_.monotonic_ns() < not_before_ns_) return;
  if (!in_pass_) {
    in_pass_ = true;
    pass_began_ns_ = clock_.monotonic_ns();
    next_file_ = Lsn{};
  }
  if (in_file_ && table_.find(slot_, file_start_) == nullptr) in_file_ = false;  // it was given back
  if (!in_file_) {
    const LogFile* const file = choose_file(durable);
    if (file == nullptr) {
      in_pass_ = false;
      ++passes_;
      not_before_ns_ = std::max(clock_.monotonic_ns(), pass_began_ns_ + options_.interval_ms * 1'000'000);
      return;
    }
    slot_ = file->slot;
    file_start_ = file->start;
    next_file_ = Lsn{file->start.value + 1};
    in_file_ = true;
    place_ = {};
  }
  begin_read();
}

void Scrubber::begin_read() {
  LogFile& file = table_.at(slot_);
  if (!buffer_) buffer_ = ChunkRef::adopt(Chunk::make(read_bytes_max));
  read_offset_ = place_.at / batch_alignment * batch_alignment;
  read_bytes_ = static_cast<std::size_t>(std::min<std::uint64_t>(read_bytes_max, file.bytes - read_offset_));
  reading_ = &file;
  ++file.reads;
  not_before_ns_ = std::max(clock_.monotonic_ns(), not_before_ns_) +
                   read_bytes_ * 1'000'000'000 / options_.bytes_per_second;
  disk_.read(file.handle, read_offset_, MutableBytes(buffer_->data(), read_bytes_), *this);
}

void Scrubber::on_io(std::int64_t result) {
  checked_ = std::exchange(reading_, nullptr);
  if (!stopped_) {
    bytes_ += read_bytes_;
    if (result == static_cast<std::int64_t>(read_bytes_)) {
      check(Bytes(buffer_->data(), read_bytes_), read_offset_);
    } else if (is_certain()) {
      found(read_offset_, read_bytes_, "can't be read");
      const std::uint64_t behind = read_offset_ + read_bytes_;
      place_ = {};
      place_.at = place_.batch_begin = behind;
      place_.searching = true;
    }
    if (place_.at + batch_alignment > checked_->bytes) in_file_ = false;
  }
  files_.end_read(*std::exchange(checked_, nullptr));
}

void Scrubber::check(Bytes bytes, std::uint64_t begin) {
  while (place_.at < begin + bytes.size() && place_.at >= begin && step(bytes, begin)) {
  }
}

// False: it can't go on with these bytes.
bool Scrubber::step(Bytes bytes, std::uint64_t begin) {
  const Bytes rest = bytes.subspan(static_cast<std::size_t>(place_.at - begin));
  if (place_.in_record) return inside_record(rest);
  return place_.records_left > 0 ? at_record(rest) : at_batch(rest);
}

bool Scrubber::at_batch(Bytes rest) {
  const auto header = decode_batch_header(rest, options_.salt);
  const bool right = header && header->lsn.value == file_start_.value + place_.at &&
                     header->bytes <= checked_->bytes - place_.at;
  if (!right) {
    if (!place_.searching) {
      place_.batch_begin = place_.at;
      if (!is_certain()) return false;
      found(place_.at, batch_header_bytes, "a batch's header does not hold its checksum");
    }
    place_.searching = true;
    place_.at += batch_alignment;
    place_.batch_begin = place_.at;
    return true;
  }
  const bool second_try = place_.second_try && place_.batch_begin == place_.at;
  const std::uint64_t at = place_.at;
  place_ = {};
  place_.batch_begin = at;
  place_.batch_end = at + header->bytes;
  place_.records_left = header->records;
  place_.crc_records = header->crc_records;
  place_.ends_file = (header->flags & batch_ends_file) != 0;
  place_.second_try = second_try;
  place_.at = at + batch_header_bytes;
  return place_.records_left > 0 || end_batch();
}

bool Scrubber::at_record(Bytes rest) {
  if (rest.size() < record_header_bytes) return false;
  const std::size_t span = record_span(rest);
  if (span == 0 || span > place_.batch_end - place_.at) {
    if (!is_certain()) return false;
    found(place_.at, place_.batch_end - place_.at, "a record's length can't be right");
    place_.batch_is_bad = true;
    return end_batch();
  }
  place_.record_begin = place_.at;
  place_.record_end = place_.at + span;
  place_.crc_end = place_.at + load_le<std::uint32_t>(rest.data() + 4);
  place_.crc_stored = load_le<std::uint32_t>(rest.data());
  place_.queue = QueueId{load_le<std::uint32_t>(rest.data() + 12)};
  place_.seq = Seq{load_le<std::uint64_t>(rest.data() + 16)};
  place_.crc = 0;
  place_.in_record = true;
  place_.at += sizeof(std::uint32_t);
  return true;
}

bool Scrubber::inside_record(Bytes rest) {
  const std::size_t part =
      static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), place_.crc_end - place_.at));
  place_.crc = crc32c(rest.first(part), place_.crc);
  place_.at += part;
  if (place_.at < place_.crc_end) return false;
  if (place_.crc != place_.crc_stored) {
    if (!is_certain()) return false;
    found(place_.record_begin, place_.record_end - place_.record_begin,
          fmt::format("the record does not hold its checksum (queue {}, number {})", place_.queue.value,
                      place_.seq.value));
    place_.batch_is_bad = true;
  }
  return end_record();
}

bool Scrubber::end_record() {
  place_.crcs.add(place_.crc_stored);
  place_.in_record = false;
  place_.at = place_.record_end;
  return --place_.records_left > 0 || end_batch();
}

bool Scrubber::end_batch() {
  if (!place_.batch_is_bad && place_.crcs.take() != place_.crc_records) {
    if (!is_certain()) return false;
    found(place_.batch_begin, place_.batch_end - place_.batch_begin,
          "a batch has not the records that its header tells of");
  }
  const std::uint64_t next = place_.ends_file ? checked_->bytes : place_.batch_end;
  place_ = {};
  place_.at = place_.batch_begin = next;
  return true;
}

// Memory and cables err too: what does not hold is read once more.
bool Scrubber::is_certain() {
  if (place_.second_try) return true;
  const std::uint64_t again = place_.batch_begin;
  const bool searching = place_.searching;
  place_ = {};
  place_.at = place_.batch_begin = again;
  place_.searching = searching;
  place_.second_try = true;
  return false;
}

void Scrubber::found(std::uint64_t at, std::uint64_t bytes, const std::string& what) {
  checked_->damaged = true;
  if (told_.size() >= told_max || !told_.emplace(file_start_.value, at).second) return;
  ++findings_;
  log_error("journal", "{}, {} bytes at {}: {}", segment_path(options_.directory, file_start_), bytes, at,
            what);
}

}  // namespace weir::storage
