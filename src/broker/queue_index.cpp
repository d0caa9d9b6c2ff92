#include "broker/queue_index.h"

#include <algorithm>

#include "base/assert.h"
#include "broker/packed_entries.h"

namespace weir::broker {
namespace {

// A chunk that lost all but so many of its messages is looked at as if it were new: it packs well.
constexpr std::uint32_t few_left = QueueIndex::chunk_entries / 8;
// So many that were given up are not worth moving the others.
constexpr std::size_t few_places = 64;

}  // namespace

// Chunks mostly lie side by side, from the first one on or up to the last one.
std::size_t QueueIndex::find_place(std::uint64_t chunk) const {
  if (front_ == places_.size()) return front_;
  const std::uint64_t first = places_[front_].number, last = places_.back().number;
  if (chunk <= first) return front_;
  if (chunk > last) return places_.size();
  std::size_t least = front_, most = places_.size() - 1;
  if (chunk - first <= most - front_) {
    most = front_ + (chunk - first);
    if (places_[most].number == chunk) return most;
  }
  if (last - chunk <= most - front_) {
    least = places_.size() - 1 - (last - chunk);
    if (places_[least].number == chunk) return least;
  }
  const auto begin = places_.begin() + static_cast<std::ptrdiff_t>(least);
  const auto end = places_.begin() + static_cast<std::ptrdiff_t>(most);
  return static_cast<std::size_t>(
      std::partition_point(begin, end, [&](const Place& place) { return place.number < chunk; }) -
      places_.begin());
}

void QueueIndex::append(Seq seq, Entry entry) {
  WEIR_ASSERT(seq >= end_);
  const std::uint64_t wanted = number(seq);
  if (live_ == 0) {
    if (front_ == places_.size() || places_.back().number != wanted) clear();
    begin_ = seq;
  }
  if (front_ == places_.size() || places_.back().number != wanted) {
    places_.emplace_back();
    places_.back().number = wanted;
    ++holes_;
  }
  Place& place = places_.back();
  if (place.chunk == nullptr) {
    place.chunk = std::make_unique<Chunk>();
    place.entries = std::make_unique<Entry[]>(chunk_entries);
    --holes_;
    looked_at(wanted);
  }
  entries_of(place)[seq.value % chunk_entries] = entry;
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
  Entry& entry = entries_of(*place)[seq.value % chunk_entries];
  return entry.state() == EntryState::gone ? nullptr : &entry;
}

bool QueueIndex::next_live(Seq from, Seq until, Seq& found) {
  std::uint64_t at = std::max(from.value, begin_.value);
  const std::uint64_t stop = std::min(until.value, end_.value);
  for (std::size_t i = find_place(number(Seq{at})); i < places_.size() && at < stop; ++i) {
    Place& place = places_[i];
    if (place.chunk == nullptr) continue;
    at = std::max(at, place.number * chunk_entries);
    const std::uint64_t end = std::min((place.number + 1) * chunk_entries, stop);
    for (; at < end; ++at) {
      if (place.chunk->live == chunk_entries ||
          entries_of(place)[at % chunk_entries].state() != EntryState::gone) {
        found = Seq{at};
        return true;
      }
    }
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
  Entry& entry = entries_of(*place)[seq.value % chunk_entries];
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
  give_up(*place);
}

void QueueIndex::clear() {
  places_.clear();
  packed_ = front_ = holes_ = 0;
}

void QueueIndex::give_up(Place& place) {
  if (live_ == 0) {
    clear();
    begin_ = end_;
    return;
  }
  place.entries.reset();
  place.chunk.reset();
  ++holes_;
  for (; places_[front_].chunk == nullptr; ++front_) --holes_;
  begin_ = std::max(begin_, Seq{places_[front_].number * chunk_entries});
  if (front_ + holes_ > few_places && front_ + holes_ > places_.size() / 2) {
    std::erase_if(places_, [](const Place& p) { return p.chunk == nullptr; });
    front_ = holes_ = 0;
  }
}

// --- packing ---

void QueueIndex::unpack(Place& place) {
  place.entries = std::make_unique_for_overwrite<Entry[]>(chunk_entries);
  unpack_entries(place.chunk->packed, {place.entries.get(), chunk_entries});
  place.chunk->packed = {};
  --packed_;
  looked_at(place.number);
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
