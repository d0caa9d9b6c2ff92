// What it is: the records of a damaged batch that are still good. Pure functions over bytes.
// A record that holds its own checksum can still be an old one, where the disk lost a write and shows what a recycled
// file held before. The batch's checksum of its records' checksums tells: where it can be made to hold, every record is
// this batch's; where not, only enqueue records are taken, because a queue knows by its sequence numbers what is old.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "storage/record.h"

namespace weir::storage {

struct Salvage {
  std::vector<std::size_t>
      offsets;          // of good records, from the batch's beginning; decode_record accepts them all
  bool proven = false;  // they are this batch's
};

// The header that `from` becomes by changing one bit, if that is a header for `lsn`.
std::optional<BatchHeader> repair_batch_header(Bytes from, std::uint32_t salt, Lsn lsn);
Salvage salvage_batch(const BatchHeader& header, Bytes batch);
// The same where the header is gone too: `from` begins where a batch began. Stops at the first record that is not good.
Salvage salvage_headless(Bytes from);

// A record of a batch that is not among those saved, as far as its header can be read.
struct LostRecord {
  std::size_t offset = 0, bytes = 0;  // in the batch
  bool legible = false;
  RecordType type{};
  QueueId queue;
  Seq seq;

  // It was none of definitions for certain.
  bool is_of_queue() const { return legible && queue != QueueId{} && type <= RecordType::requeue; }
};
std::vector<LostRecord> lost_records(const BatchHeader& header, Bytes batch, const Salvage& salvage);

}  // namespace weir::storage
