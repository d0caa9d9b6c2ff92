#include "storage/record.h"

#include <utility>

#include "base/assert.h"
#include "base/crc32c.h"

namespace weir::storage {
namespace {

constexpr std::size_t header_crc_at = 60;
constexpr std::size_t record_crc_bytes = 4;
// A record on disk may be as long as a location can say.
constexpr std::size_t record_length_limit = record_bytes_limit - record_alignment;
constexpr std::uint64_t record_span_min = record_span_of(0, 0);

struct RecordLengths {
  std::size_t length = 0;  // header included, padding excluded; 0: impossible
  std::size_t extension = 0;
};

RecordLengths record_lengths(Bytes from) {
  if (from.size() < record_header_bytes) return {};
  const std::size_t length = load_le<std::uint32_t>(from.data() + 4);
  const std::size_t extension = load_le<std::uint16_t>(from.data() + 10);
  if (length < record_header_bytes + extension || length > record_length_limit) return {};
  return {length, extension};
}

Record record_at(const std::byte* at, const RecordLengths& lengths) {
  Record record;
  record.type = static_cast<RecordType>(at[8]);
  record.flags = static_cast<std::uint8_t>(at[9]);
  record.queue = QueueId{load_le<std::uint32_t>(at + 12)};
  record.seq = Seq{load_le<std::uint64_t>(at + 16)};
  const std::size_t payload_at = record_header_bytes + lengths.extension;
  record.extension = Bytes(at + record_header_bytes, lengths.extension);
  record.payload = Bytes(at + payload_at, lengths.length - payload_at);
  return record;
}

bool possible(const BatchHeader& header) {
  return header.bytes >= batch_alignment && header.bytes <= batch_bytes_limit &&
         header.bytes % batch_alignment == 0 && header.lsn.value % batch_alignment == 0 &&
         header.durable_lsn.value % batch_alignment == 0 && header.durable_lsn <= header.lsn &&
         header.lsn.value <= UINT64_MAX - header.bytes &&
         header.records <= (header.bytes - batch_header_bytes) / record_span_min;
}

}  // namespace

void encode_batch_header(const BatchHeader& header, std::byte* to, std::uint32_t salt) {
  store_le(to, batch_magic);
  store_le(to + 4, batch_version);
  store_le(to + 6, header.flags);
  store_le(to + 8, header.lsn.value);
  store_le(to + 16, header.durable_lsn.value);
  store_le(to + 24, header.bytes);
  store_le(to + 28, header.records);
  store_le(to + 32, header.incarnation);
  store_le(to + 36, header.group);
  store_le(to + 40, header.term);
  store_le(to + 48, header.index);
  store_le(to + 56, header.crc_records);
  store_le(to + header_crc_at, crc32c(Bytes(to, header_crc_at), header.incarnation ^ salt));
}

Result<BatchHeader> decode_batch_header(Bytes from, std::uint32_t salt) {
  if (from.size() < batch_header_bytes) return fail(ErrorCode::corrupt, "batch header is cut off");
  const std::byte* at = from.data();
  if (load_le<std::uint32_t>(at) != batch_magic) return fail(ErrorCode::corrupt, "no batch magic");
  BatchHeader header;
  header.flags = load_le<std::uint16_t>(at + 6);
  header.lsn = Lsn{load_le<std::uint64_t>(at + 8)};
  header.durable_lsn = Lsn{load_le<std::uint64_t>(at + 16)};
  header.bytes = load_le<std::uint32_t>(at + 24);
  header.records = load_le<std::uint32_t>(at + 28);
  header.incarnation = load_le<std::uint32_t>(at + 32);
  header.group = load_le<std::uint32_t>(at + 36);
  header.term = load_le<std::uint64_t>(at + 40);
  header.index = load_le<std::uint64_t>(at + 48);
  header.crc_records = load_le<std::uint32_t>(at + 56);
  const std::uint32_t crc = crc32c(from.first(header_crc_at), header.incarnation ^ salt);
  if (crc != load_le<std::uint32_t>(at + header_crc_at)) return fail(ErrorCode::corrupt, "batch header CRC");
  if (load_le<std::uint16_t>(at + 4) != batch_version) return fail(ErrorCode::corrupt, "batch version");
  if (!possible(header)) return fail(ErrorCode::corrupt, "impossible sizes in a batch header");
  return header;
}

void put_record_header(RecordType type, std::uint8_t flags, QueueId queue, Seq seq,
                       std::size_t extension_bytes, std::size_t payload_bytes, std::byte* to) {
  store_le(to + 4, static_cast<std::uint32_t>(record_header_bytes + extension_bytes + payload_bytes));
  to[8] = static_cast<std::byte>(type);
  to[9] = static_cast<std::byte>(flags);
  store_le(to + 10, static_cast<std::uint16_t>(extension_bytes));
  store_le(to + 12, queue.value);
  store_le(to + 16, seq.value);
}

std::uint32_t put_record_crc(std::byte* to) {
  const std::size_t length = load_le<std::uint32_t>(to + 4);
  const std::uint32_t crc = crc32c(Bytes(to + record_crc_bytes, length - record_crc_bytes));
  store_le(to, crc);
  return crc;
}

std::uint32_t seal_record(const Record& record, std::byte* to) {
  WEIR_ASSERT(record.extension.size() <= extension_bytes_max);
  WEIR_ASSERT(record_header_bytes + record.extension.size() + record.payload.size() <= record_bytes_max);
  put_record_header(record.type, record.flags, record.queue, record.seq, record.extension.size(),
                    record.payload.size(), to);
  return put_record_crc(to);
}

Result<Record> decode_record(Bytes from) {
  const RecordLengths lengths = record_lengths(from);
  if (lengths.length == 0 || lengths.length > from.size()) {
    return fail(ErrorCode::corrupt, "impossible sizes in a record header");
  }
  const Bytes checked = from.first(lengths.length).subspan(record_crc_bytes);
  if (crc32c(checked) != load_le<std::uint32_t>(from.data())) return fail(ErrorCode::corrupt, "record CRC");
  return record_at(from.data(), lengths);
}

Record parse_record(Bytes from) {
  const RecordLengths lengths = record_lengths(from);
  WEIR_ASSERT(lengths.length != 0 && lengths.length <= from.size());
  return record_at(from.data(), lengths);
}

std::size_t record_span(Bytes from) { return align_up(record_lengths(from).length, record_alignment); }

void RecordCrcs::fold() {
  crc_ = crc32c(Bytes(pending_, pending_bytes_), crc_);
  pending_bytes_ = 0;
}

std::uint32_t RecordCrcs::take() {
  fold();
  return std::exchange(crc_, 0);
}

}  // namespace weir::storage
