// What it is: where each message of a queue is and what has become of it: 8 bytes a message, addressed by its seq in O(1),
// in chunks of 512 that are freed when all of their messages are gone. Gaps in the seqs cost nothing.
// Chunks that nobody looked at for a while are packed (broker/packed_entries.h): a deep queue costs less than a byte a message.
// What else is known of messages (broker/attributes.h) is in columns of a chunk that are made when they are needed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "broker/entry.h"
#include "broker/index_columns.h"

namespace weir::broker {

class QueueIndex {
 public:
  static constexpr std::size_t chunk_entries = broker::chunk_entries;
  // So many chunks that were looked at last are not packed.
  static constexpr std::size_t loose_chunks = 16;
  static constexpr std::size_t packed_chunk_bytes_about = 256;

  QueueIndex() = default;
  QueueIndex(const QueueIndex&) = delete;
  QueueIndex& operator=(const QueueIndex&) = delete;

  // The next seq to give. Never given twice.
  Seq end() const { return end_; }
  // Lower bound of all that is left; == end() when empty.
  Seq begin() const { return begin_; }
  std::size_t live() const { return live_; }

  // `seq` >= end(): a gap is fine.
  void append(Seq seq, Entry entry);
  // Gives up seqs without using them (after a restart that can't know which were given).
  void skip_to(Seq seq);
  // Null when it is gone or never was. Stays in place until other chunks were looked at, loose_chunks of them.
  Entry* find(Seq seq);
  bool contains(Seq seq) const { return const_cast<QueueIndex*>(this)->find(seq) != nullptr; }
  // The first one at or after `from` that is not gone and before `until`; false if none. Skips gaps by the chunk.
  bool next_live(Seq from, Seq until, Seq& found);
  void erase(Seq seq);  // was there

  // --- what a checkpoint's walk remembers of a chunk that is full and all alike, so as not to look at its entries again ---

  struct Told {
    std::uint32_t walk = 0;  // that looked at it; 0: none
    bool redelivered = false;
  };
  // Of the chunk that begins with `seq`; none if it is not full.
  Told told(Seq seq);
  void tell(Seq seq, Told told);
  // An entry changed.
  void changed(Seq seq);
  static std::uint64_t number(Seq seq) { return seq.value / chunk_entries; }
  // The columns of the message's chunk; null if none of its messages has attributes.
  const IndexColumns* columns(Seq seq) const {
    const Chunk* const chunk = chunk_of(seq);
    return chunk == nullptr ? nullptr : chunk->columns.get();
  }
  IndexColumns* columns(Seq seq) { return const_cast<IndexColumns*>(std::as_const(*this).columns(seq)); }
  // Of a message that is there.
  IndexColumns& make_columns(Seq seq);

  std::size_t packed_chunks() const { return packed_; }
  // About: what a packed chunk takes depends on its messages.
  std::size_t memory_bytes() const {
    const std::size_t loose = std::min(loose_.size(), live_ / chunk_entries + 1);
    return places_.capacity() * sizeof(Place) + packed_ * packed_chunk_bytes_about +
           loose * (chunk_entries * sizeof(Entry) + sizeof(Chunk));
  }

 private:
  // What a chunk has beside its entries.
  struct Chunk {
    std::vector<std::byte> packed;
    std::unique_ptr<IndexColumns> columns;
    std::uint32_t live = 0;
    Told told;
  };
  // Neither: none of its messages is there.
  struct Place {
    std::uint64_t number = 0;
    std::unique_ptr<Entry[]> entries;  // null while they are packed
    std::unique_ptr<Chunk> chunk;
  };
  // Of the first place from this chunk on; places_.size() if there is none.
  std::size_t find_place(std::uint64_t chunk) const;
  const Place* place_of(Seq seq) const {
    const std::uint64_t wanted = number(seq);
    const std::size_t at = find_place(wanted);
    return at < places_.size() && places_[at].number == wanted ? &places_[at] : nullptr;
  }
  Place* place_of(Seq seq) { return const_cast<Place*>(std::as_const(*this).place_of(seq)); }
  const Chunk* chunk_of(Seq seq) const {
    const Place* const place = place_of(seq);
    return place == nullptr ? nullptr : place->chunk.get();
  }
  Chunk* chunk_of(Seq seq) { return const_cast<Chunk*>(std::as_const(*this).chunk_of(seq)); }
  // Of a chunk that is there.
  Entry* entries_of(Place& place) {
    if (place.entries == nullptr) [[unlikely]]
      unpack(place);
    return place.entries.get();
  }
  void unpack(Place& place);
  void looked_at(std::uint64_t chunk);
  void pack(std::uint64_t chunk);
  void clear();
  void give_up(Place& place);

  std::vector<Place> places_;  // by their numbers; those before `front_` were given up
  std::size_t front_ = 0;
  std::size_t holes_ = 0;  // places behind it that were given up
  // Chunks that were made or unpacked last, by their numbers: the next one takes the place of the oldest, which is packed.
  std::vector<std::uint64_t> loose_;
  std::size_t next_loose_ = 0;
  std::size_t packed_ = 0;
  Seq begin_{0};
  Seq end_{0};
  std::size_t live_ = 0;
};

}  // namespace weir::broker
