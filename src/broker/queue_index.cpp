#include "broker/queue_index.h"

#include <algorithm>

#include "base/assert.h"
#include "broker/packed_entries.h"

namespace weir::broker {
namespace {

// A chunk that lost all but so many of its messages is looked at as if it were new: it packs well.
constexpr std::uint32_t few_left = QueueIndex::chunk_entries / 8;

}  // namespace

void QueueIndex::append(Seq seq, Entry entry) {
  WEIR_ASSERT(seq >= end_);
  const std::uint64_t wanted = number(seq);
  if (live_ == 0) {
    const bool chunk_is_there = front_ < places_.size() && first_ == wanted;
    if (!chunk_is_there) {
      places_.clear();
      packed_ = 0;
      front_ = 0;
      first_ = wanted;
    }
    begin_ = seq;
  }
  const std::uint64_t at = front_ + (wanted - first_);
  if (at >= places_.size()) {
    if (front_ > 64 && front_ > places_.size() / 2) {
      places_.erase(places_.begin(), places_.begin() + static_cast<std::ptrdiff_t>(front_));
      front_ = 0;
    }
    places_.resize(front_ + (wanted - first_) + 1);
  }
  Place& place = places_[front_ + (wanted - first_)];
  if (place.chunk == nullptr) {
    place.chunk = std::make_unique<Chunk>();
    place.entries = std::make_unique<Entry[]>(chunk_entries);
    looked_at(wanted);
  }
  entries_of(place, seq)[seq.value % chunk_entries] = entry;
  ++place.chunk->live;
  ++live_;
  end_ = Seq{seq.value + 1};
}

IndexColumns& QueueIndex::make_columns(Seq seq) {
  Chunk* const chunk = chunk_of(seq);
  WEIR_ASSERT(chunk != nullptr);
  if (chunk->columns == nullptr) chunk->columns = std::make_unique<IndexColumns>();
  return *chunk->columns;
}

void QueueIndex::skip_to(Seq seq) {
  WEIR_ASSERT(seq >= end_);
  end_ = seq;
  if (live_ == 0) begin_ = seq;
}

Entry* QueueIndex::find(Seq seq) {
  if (seq >= end_) return nullptr;
  Place* const place = place_of(seq);
  if (place == nullptr || (place->entries == nullptr && place->chunk == nullptr)) return nullptr;
  Entry& entry = entries_of(*place, seq)[seq.value % chunk_entries];
  return entry.state() == EntryState::gone ? nullptr : &entry;
}

bool QueueIndex::next_live(Seq from, Seq until, Seq& found) {
  std::uint64_t at = std::max(from.value, begin_.value);
  const std::uint64_t stop = std::min(until.value, end_.value);
  while (at < stop) {
    Place* const place = place_of(Seq{at});
    if (place == nullptr || place->chunk == nullptr) {
      at = (at / chunk_entries + 1) * chunk_entries;
      continue;
    }
    if (place->chunk->live == chunk_entries ||
        entries_of(*place, Seq{at})[at % chunk_entries].state() != EntryState::gone) {
      found = Seq{at};
      return true;
    }
    ++at;
  }
  return false;
}

QueueIndex::Told QueueIndex::told(Seq seq) {
  const Chunk* chunk = seq.value % chunk_entries == 0 ? chunk_of(seq) : nullptr;
  return chunk != nullptr && chunk->live == chunk_entries ? chunk->told : Told{};
}

void QueueIndex::tell(Seq seq, Told told) {
  if (Chunk* const chunk = chunk_of(seq)) chunk->told = told;
}

void QueueIndex::changed(Seq seq) { tell(seq, {}); }

void QueueIndex::erase(Seq seq) {
  Place* const place = place_of(seq);
  WEIR_ASSERT(place != nullptr && place->chunk != nullptr);
  Entry& entry = entries_of(*place, seq)[seq.value % chunk_entries];
  WEIR_ASSERT(entry.state() != EntryState::gone);
  entry = Entry();
  --live_;
  if (--place->chunk->live > 0) {
    if (place->chunk->live == few_left) looked_at(number(seq));
    return;
  }
  // The chunk that is still being filled stays, so that a short queue does not free and make it all the time.
  if (number(seq) == number(end_) && live_ == 0) {
    begin_ = end_;
    return;
  }
  *place = Place();
  drop_front();
}

void QueueIndex::drop_front() {
  if (live_ == 0) {
    places_.clear();
    packed_ = 0;
    front_ = 0;
    first_ = number(end_);
    begin_ = end_;
    return;
  }
  while (front_ < places_.size() && (places_[front_].chunk == nullptr || places_[front_].chunk->live == 0)) {
    places_[front_] = Place();
    ++front_;
    ++first_;
  }
  begin_ = std::max(begin_, Seq{first_ * chunk_entries});
}

// --- packing ---

void QueueIndex::unpack(Place& place, std::uint64_t chunk) {
  place.entries = std::make_unique_for_overwrite<Entry[]>(chunk_entries);
  unpack_entries(place.chunk->packed, {place.entries.get(), chunk_entries});
  place.chunk->packed = {};
  --packed_;
  looked_at(chunk);
}

void QueueIndex::looked_at(std::uint64_t chunk) {
  if (loose_.size() < loose_chunks) return loose_.push_back(chunk);
  const std::uint64_t oldest = std::exchange(loose_[next_loose_], chunk);
  next_loose_ = (next_loose_ + 1) % loose_chunks;
  if (std::find(loose_.begin(), loose_.end(), oldest) == loose_.end()) pack(oldest);
}

// Not the chunk that is being filled.
void QueueIndex::pack(std::uint64_t chunk) {
  if (chunk == number(end_)) return;
  Place* const place = place_of(Seq{chunk * chunk_entries});
  if (place == nullptr || place->chunk == nullptr || place->entries == nullptr) return;
  thread_local std::vector<std::byte> packed;
  if (!pack_entries({place->entries.get(), chunk_entries}, packed)) return;
  place->chunk->packed.assign(packed.begin(), packed.end());
  place->entries.reset();
  ++packed_;
}

}  // namespace weir::broker
