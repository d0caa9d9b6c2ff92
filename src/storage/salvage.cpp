#include "storage/salvage.h"

#include <algorithm>
#include <array>

#include "base/crc32c.h"

namespace weir::storage {
namespace {

// What the search for the next good record may checksum: a body made of record headers must not stop a recovery.
constexpr std::uint64_t search_bytes_max = 256U << 20;

struct Walked {
  std::size_t offset = 0;
  bool good = false;
  bool searched = false;  // its place was not told by the record before
  std::uint32_t crc_stored = 0;
  std::uint32_t crc_now = 0;  // of what the record's length says; 0 if that is impossible
};

class Walk {
 public:
  // Trusting the lengths: behind a damaged record goes on where its length says. Else a length must lead to a good record
  // or to the end, or the next good record is searched.
  Walk(Bytes batch, bool trusting) : batch_(batch), trusting_(trusting) {}
  std::vector<Walked> run(std::uint32_t records);

 private:
  bool is_good(std::size_t at);
  bool begins_padding(std::size_t at) const;
  void step_over_damage();

  Bytes batch_;
  bool trusting_;
  bool searched_ = false;
  std::size_t at_ = batch_header_bytes;
  std::uint64_t checked_bytes_ = 0;
};

bool Walk::is_good(std::size_t at) {
  const Bytes rest = batch_.subspan(at);
  checked_bytes_ += std::min(record_span(rest), rest.size());
  return decode_record(rest).has_value();
}

bool Walk::begins_padding(std::size_t at) const {
  const Bytes rest = batch_.subspan(at);
  return rest.size() < batch_alignment &&
         std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; });
}

void Walk::step_over_damage() {
  const std::size_t span = record_span(batch_.subspan(at_));
  const std::size_t next = span != 0 && span <= batch_.size() - at_ ? at_ + span : batch_.size();
  if (trusting_ || (next < batch_.size() && (begins_padding(next) || is_good(next)))) {
    at_ = next;
    return;
  }
  searched_ = true;
  for (at_ += record_alignment; at_ + record_header_bytes <= batch_.size(); at_ += record_alignment) {
    if (checked_bytes_ > search_bytes_max) break;
    if (is_good(at_)) return;
  }
  at_ = batch_.size();
}

std::vector<Walked> Walk::run(std::uint32_t records) {
  std::vector<Walked> walked;
  while (walked.size() < records && at_ + record_header_bytes <= batch_.size()) {
    const Bytes rest = batch_.subspan(at_);
    Walked record{at_, is_good(at_), searched_, load_le<std::uint32_t>(rest.data()), 0};
    const std::size_t span = record_span(rest);
    const std::size_t length = load_le<std::uint32_t>(rest.data() + 4);
    if (span != 0 && length <= rest.size()) record.crc_now = crc32c(rest.first(length).subspan(4));
    walked.push_back(record);
    if (record.good) {
      at_ = std::min(at_ + span, batch_.size());
    } else {
      step_over_damage();
    }
  }
  return walked;
}

// Damage in a record's contents leaves its stored CRC right; damage in the CRC leaves the contents right.
bool proves(const BatchHeader& header, const std::vector<Walked>& walked) {
  if (walked.size() != header.records) return false;
  RecordCrcs of_stored;
  RecordCrcs of_now;
  for (const Walked& record : walked) {
    of_stored.add(record.crc_stored);
    of_now.add(record.crc_now);
  }
  return of_stored.take() == header.crc_records || of_now.take() == header.crc_records;
}

}  // namespace

std::optional<BatchHeader> repair_batch_header(Bytes from, std::uint32_t salt, Lsn lsn) {
  if (from.size() < batch_header_bytes) return std::nullopt;
  std::array<std::byte, batch_header_bytes> bytes;
  std::copy_n(from.begin(), bytes.size(), bytes.begin());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const std::byte mask = std::byte{1} << (bit % 8);
    bytes[bit / 8] ^= mask;
    const auto header = decode_batch_header(bytes, salt);
    if (header && header->lsn == lsn) return *header;
    bytes[bit / 8] ^= mask;
  }
  return std::nullopt;
}

Salvage salvage_batch(const BatchHeader& header, Bytes batch) {
  Salvage salvage;
  std::vector<Walked> walked = Walk(batch, true).run(header.records);
  salvage.proven = proves(header, walked);
  if (!salvage.proven) {
    walked = Walk(batch, false).run(header.records);
    salvage.proven = proves(header, walked);
  }
  for (const Walked& record : walked) {
    if (!salvage.proven && record.searched) break;
    if (!record.good) continue;
    const bool enqueue = parse_record(batch.subspan(record.offset)).type == RecordType::enqueue;
    if (salvage.proven || enqueue) salvage.offsets.push_back(record.offset);
  }
  return salvage;
}

Salvage salvage_headless(Bytes from) {
  Salvage salvage;
  std::size_t at = batch_header_bytes;
  while (at < from.size()) {
    const Bytes rest = from.subspan(at);
    const auto record = decode_record(rest);
    if (!record) break;
    if (record->type == RecordType::enqueue) salvage.offsets.push_back(at);
    at += record_span(rest);
  }
  return salvage;
}

namespace {

// What `from` begins with, if the header of a record can be there.
LostRecord lost_record(std::size_t offset, Bytes from) {
  LostRecord lost{offset, from.size(), false, {}, {}, {}};
  if (from.size() < record_header_bytes) return lost;
  const auto type = load_le<std::uint8_t>(from.data() + 8);
  lost.legible = type > 0 && type < record_types;
  lost.type = static_cast<RecordType>(type);
  lost.queue = QueueId{load_le<std::uint32_t>(from.data() + 12)};
  lost.seq = Seq{load_le<std::uint64_t>(from.data() + 16)};
  return lost;
}

}  // namespace

std::vector<LostRecord> lost_records(const BatchHeader& header, Bytes batch, const Salvage& salvage) {
  std::vector<LostRecord> lost;
  const std::size_t missing = header.records - std::min<std::size_t>(header.records, salvage.offsets.size());
  std::size_t at = batch_header_bytes;
  const auto pass = [&](std::size_t end) {
    while (at < end && lost.size() < missing) {
      const Bytes rest = batch.subspan(at, end - at);
      const std::size_t span = record_span(rest);
      const bool fits = span != 0 && span <= rest.size();
      // Of several that can't be told from each other only the first one's header is known to be one.
      lost.push_back(lost_record(at, rest.first(fits ? span : rest.size())));
      if (!fits && missing > lost.size()) lost.back().legible = false;
      at += fits ? span : rest.size();
    }
  };
  for (const std::size_t good : salvage.offsets) {
    pass(good);
    at = good + record_span(batch.subspan(good));
  }
  pass(batch.size());
  return lost;
}

}  // namespace weir::storage
