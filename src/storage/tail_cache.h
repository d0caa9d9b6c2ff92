// What it is: the memory of the log's end: regions in which batches lie back to back exactly as on disk. The open batch
// is filled in here, a commit is one write from here, and what was written stays readable here until newer bytes need
// the room. A region that nobody else holds is filled again; one that deliveries still hold lives on by their references.
// Shard: of its journal, on its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/chunk.h"
#include "base/ids.h"
#include "storage/journal.h"

namespace weir::storage {

class TailCache {
 public:
  explicit TailCache(std::uint64_t bytes_max);

  // Where the batch that begins at `lsn` goes: at least `bytes_least` are free there. Regions that end at or before
  // `durable` may be given up for it.
  struct Place {
    std::byte* at;
    std::size_t room;
  };
  Place place(Lsn lsn, std::size_t bytes_least, Lsn durable);
  // The batch that was placed last takes `bytes`.
  void close(std::size_t bytes);

  // The byte at `lsn`; it was placed before, or it is not in memory.
  CachedRecord find(Lsn lsn);
  // Back to the bound, after bytes that had to stay were more.
  void trim(Lsn durable);
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Region {
    ChunkRef chunk;
    std::size_t offset = 0;  // in the chunk
    Lsn begin;
    std::size_t used = 0;      // of closed batches
    std::size_t capacity = 0;  // from `offset` on; the last region may have an open batch behind `used`
  };

  bool holds(const Region& region, Lsn lsn) const {
    return lsn >= region.begin && lsn.value - region.begin.value < region.capacity;
  }
  void add_region(Lsn lsn, std::size_t bytes_least, Lsn durable);
  ChunkRef take_chunk(std::size_t bytes, Lsn durable);

  std::uint64_t bytes_max_;
  std::size_t region_bytes_max_;
  std::size_t region_bytes_;  // of the next region: it grows, so that an idle journal stays small
  std::uint64_t bytes_ = 0;
  std::deque<Region> regions_;  // ascending
  std::size_t last_found_ = 0;
};

}  // namespace weir::storage
