// What it is: the formats of batches and records in the journal: pure functions over bytes (docs/formats/journal.md).
// All little endian. A batch is one commit: it begins on a 4 KiB block and is padded with zeros to the next.
// A record begins on 16 bytes. Bytes are checksummed once, by their record; the batch's checksum covers its header and
// the sequence of its records' checksums.
//
//  BatchHeader, 64 bytes                          RecordHeader, 24 bytes
//   0 u32 magic "WJB1"   4 u16 version 6 u16 flags   0 u32 crc32c of all that follows in the record
//   8 u64 lsn (= its position)                       4 u32 length of the record, header included, padding excluded
//  16 u64 durable_lsn: all below it is known synced   8 u8 type   9 u8 flags   10 u16 extension bytes
//  24 u32 bytes, padding included  28 u32 records    12 u32 queue
//  32 u32 incarnation  36 u32 group                  16 u64 seq
//  40 u64 term         48 u64 index                  24 extension, then payload
//  56 u32 crc32c of the records' crcs
//  60 u32 crc32c of bytes 0..59, seeded with incarnation ^ salt. The salt is the journal's own random number (in its
//     superblock): neither another journal's bytes nor a message's body can pass for a batch of this one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/limits.h"
#include "storage/location.h"

namespace weir::storage {

inline constexpr std::uint32_t batch_magic = 0x31424a57;  // "WJB1" as little-endian bytes
inline constexpr std::uint16_t batch_version = 1;
inline constexpr std::size_t batch_header_bytes = 64;
inline constexpr std::size_t record_header_bytes = 24;
inline constexpr std::size_t batch_alignment = 4096;
inline constexpr std::uint64_t batch_bytes_limit = file_bytes_limit;
// What a record may have of a body. Larger bodies are in pieces; before there were pieces, these were in one record.
inline constexpr std::size_t whole_body_bytes_max = 16U << 20;
// The largest record that is written: a whole message with its properties, or as much of definitions.
inline constexpr std::size_t record_bytes_max =
    whole_body_bytes_max + limits::native_properties_bytes_max + (1U << 20);
inline constexpr std::size_t extension_bytes_max = UINT16_MAX;
// Records that become durable together.
inline constexpr std::size_t together_bytes_max = 128U << 20;
static_assert(together_bytes_max >= record_bytes_max);

// Batch flags.
inline constexpr std::uint16_t batch_ends_file = 1;  // the log goes on at the start of the next file

enum class RecordType : std::uint8_t {
  enqueue =
      1,  // queue, seq; payload = a message. Extension: further (u32 queue, u64 seq) pairs that share the payload
  settle = 2,  // queue; payload = runs of (u64 first, u32 count): gone from the queue
  requeue =
      3,  // queue; payload = runs of (u64 first, u32 count): was delivered and came back (redelivered is set)
  // With the flag requeue_counted: of (u64 first, u32 count, u32 how often each of them came back by now). With
  // requeue_delayed: the same, and u64 until when each of them waits, Unix ms.
  meta = 4,  // payload = changes of definitions
  mark = 5,  // nothing; its batch's durable_lsn covers what was before
  leave =
      6,  // queue, flags = why (broker/attributes.h); payload = runs of (u64 first, u32 count): on their way to the
          // queue's dead-letter exchange, never to be delivered again
  remember = 7,  // queue; payload = ids of messages that it got lately (broker/dedup_window.h), written again
};

// Of a settle record's runs and of an enqueue record's extension.
inline constexpr std::size_t settle_run_bytes = 12;
inline constexpr std::size_t shared_with_bytes = 12;
inline constexpr std::size_t record_types = 8;  // one more than the highest

// Flags of a requeue record.
inline constexpr std::uint8_t requeue_counted = 1, requeue_delayed = 2;

struct BatchHeader {
  std::uint16_t flags = 0;
  Lsn lsn;
  Lsn durable_lsn;
  std::uint32_t bytes = 0;
  std::uint32_t records = 0;
  std::uint32_t incarnation = 0;
  std::uint32_t group = 0;
  std::uint64_t term = 1;
  std::uint64_t index = 0;
  std::uint32_t crc_records = 0;
};

struct Record {
  RecordType type{};
  std::uint8_t flags = 0;
  QueueId queue;
  Seq seq;
  Bytes extension;
  Bytes payload;
};

void encode_batch_header(const BatchHeader& header, std::byte* to, std::uint32_t salt = 0);
// corrupt: no magic, unknown version, bad CRC or impossible sizes.
Result<BatchHeader> decode_batch_header(Bytes from, std::uint32_t salt = 0);

// Writes header and CRC in front of extension and payload that are already in place behind it.
// `to` has record_header_bytes + extension + payload bytes. Returns the record's CRC.
std::uint32_t seal_record(const Record& record, std::byte* to);
// The same in two steps, for a record that is filled in between them: all but the CRC, then the CRC (which it returns).
void put_record_header(RecordType type, std::uint8_t flags, QueueId queue, Seq seq,
                       std::size_t extension_bytes, std::size_t payload_bytes, std::byte* to);
std::uint32_t put_record_crc(std::byte* to);
// Views into `from`, which may be longer than the record. corrupt: lengths or CRC don't hold.
Result<Record> decode_record(Bytes from);
// The same without the CRC, for bytes that decode_record accepted before.
Record parse_record(Bytes from);
// The bytes that a record takes in a batch, padding included; 0 if the header is impossible.
std::size_t record_span(Bytes from);

constexpr std::size_t record_span_of(std::size_t extension_bytes, std::size_t payload_bytes) {
  return align_up(record_header_bytes + extension_bytes + payload_bytes, record_alignment);
}

// A batch's checksum of its records' checksums, of many at a time.
class RecordCrcs {
 public:
  void add(std::uint32_t record_crc) {
    store_le(pending_ + pending_bytes_, record_crc);
    pending_bytes_ += sizeof record_crc;
    if (pending_bytes_ == sizeof pending_) fold();
  }
  // The checksum; the next one begins.
  std::uint32_t take();

 private:
  void fold();
  std::uint32_t crc_ = 0;
  std::size_t pending_bytes_ = 0;
  std::byte pending_[256];
};

}  // namespace weir::storage
