#include "storage/tail_cache.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/assert.h"
#include "storage/record.h"

namespace weir::storage {
namespace {

constexpr std::size_t region_bytes_first = 256U << 10;
constexpr std::size_t region_bytes_most = 4U << 20;
// The bound is kept by whole regions, so it holds at least that many.
constexpr std::uint64_t regions_in_bound = 4;
// What is left of a region when the log jumps to another file is worth keeping from here on.
constexpr std::size_t rest_worth_keeping = 64U << 10;

}  // namespace

TailCache::TailCache(std::uint64_t bytes_max)
    : bytes_max_(bytes_max),
      region_bytes_max_(
          std::clamp<std::size_t>(std::bit_floor(std::max<std::uint64_t>(bytes_max / regions_in_bound, 1)),
                                  region_bytes_first, region_bytes_most)),
      region_bytes_(region_bytes_first) {}

TailCache::Place TailCache::place(Lsn lsn, std::size_t bytes_least, Lsn durable) {
  const bool goes_on = !regions_.empty() && regions_.back().begin.value + regions_.back().used == lsn.value;
  if (!goes_on || regions_.back().capacity - regions_.back().used < bytes_least)
    add_region(lsn, bytes_least, durable);
  Region& region = regions_.back();
  return {region.chunk->data() + region.offset + region.used, region.capacity - region.used};
}

void TailCache::close(std::size_t bytes) {
  Region& region = regions_.back();
  WEIR_ASSERT(bytes <= region.capacity - region.used);
  region.used += bytes;
}

void TailCache::add_region(Lsn lsn, std::size_t bytes_least, Lsn durable) {
  Region next;
  next.begin = lsn;
  if (!regions_.empty()) {
    Region& last = regions_.back();
    const std::size_t rest = last.capacity - last.used;
    last.capacity = last.used;
    if (rest >= std::max(bytes_least, rest_worth_keeping)) {
      // The log jumped to another file: the same chunk goes on under other positions.
      next.chunk = last.chunk;
      next.offset = last.offset + last.used;
      next.capacity = rest;
    } else {
      bytes_ -= rest;
    }
  }
  if (!next.chunk) {
    const std::size_t wanted = std::max(region_bytes_, align_up(bytes_least, batch_alignment));
    region_bytes_ = std::min(region_bytes_ * 2, region_bytes_max_);
    next.chunk = take_chunk(wanted, durable);
    next.capacity = next.chunk->capacity();
    bytes_ += next.capacity;
  }
  regions_.push_back(std::move(next));
}

// Gives up the oldest regions until the new one fits the bound; the newest of them that is free and fits is used again.
ChunkRef TailCache::take_chunk(std::size_t bytes, Lsn durable) {
  ChunkRef reused;
  while (!regions_.empty() && bytes_ + bytes > bytes_max_) {
    Region& oldest = regions_.front();
    if (oldest.begin.value + oldest.used > durable.value) break;
    bytes_ -= oldest.capacity;
    ChunkRef chunk = std::move(oldest.chunk);
    regions_.pop_front();
    const bool fits = chunk->capacity() >= bytes && chunk->capacity() <= std::max(bytes, region_bytes_max_);
    if (fits && chunk->unique()) reused = std::move(chunk);
  }
  return reused ? std::move(reused) : ChunkRef::adopt(Chunk::make(bytes));
}

void TailCache::trim(Lsn durable) {
  while (bytes_ > bytes_max_ && regions_.size() > 1) {
    const Region& oldest = regions_.front();
    if (oldest.begin.value + oldest.used > durable.value) return;
    bytes_ -= oldest.capacity;
    regions_.pop_front();
  }
}

CachedRecord TailCache::find(Lsn lsn) {
  if (last_found_ >= regions_.size() || !holds(regions_[last_found_], lsn)) {
    const auto after = std::upper_bound(regions_.begin(), regions_.end(), lsn,
                                        [](Lsn value, const Region& region) { return value < region.begin; });
    if (after == regions_.begin()) return {};
    last_found_ = static_cast<std::size_t>(after - regions_.begin()) - 1;
    if (!holds(regions_[last_found_], lsn)) return {};
  }
  const Region& region = regions_[last_found_];
  return {region.chunk->data() + region.offset + (lsn.value - region.begin.value), region.chunk.get()};
}

}  // namespace weir::storage
