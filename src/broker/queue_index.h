// What it is: where each message of a queue is and what has become of it: 8 bytes a message, addressed by its seq in O(1),
// in chunks of 512 that are freed when all of their messages are gone. A gap in the seqs costs a pointer per 512.
// What else is known of messages (broker/attributes.h) is in columns of a chunk that are made when they are needed.
//
//   63                          4  3           2            1..0
//  +-----------------------------+-----------+-------------+-----------------------------------+
//  | reference (opaque here) 60  | transient | redelivered | gone 0, ready 1, out 2, held 3    |
//  +-----------------------------+-----------+-------------+-----------------------------------+
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "broker/index_columns.h"

namespace weir::broker {

// Held: not to be delivered, now (it is delayed) or ever again (it is on its way to a dead-letter exchange).
enum class EntryState : std::uint8_t { gone = 0, ready = 1, out = 2, held = 3 };

class Entry {
 public:
  Entry() = default;
  // `reference` < 2^60: a place in the journal, or in memory for a transient message. The holder knows how to read it.
  Entry(std::uint64_t reference, bool transient, bool redelivered = false)
      : bits_(reference << 4 | (transient ? 8U : 0U) | (redelivered ? 4U : 0U) |
              static_cast<std::uint64_t>(EntryState::ready)) {}

  EntryState state() const { return static_cast<EntryState>(bits_ & 3U); }
  bool redelivered() const { return (bits_ & 4U) != 0; }
  bool transient() const { return (bits_ & 8U) != 0; }
  std::uint64_t reference() const { return bits_ >> 4; }
  void set_state(EntryState state) {
    bits_ = (bits_ & ~std::uint64_t{3}) | static_cast<std::uint64_t>(state);
  }
  void set_redelivered() { bits_ |= 4U; }
  void set_reference(std::uint64_t reference) { bits_ = reference << 4 | (bits_ & 15U); }

 private:
  std::uint64_t bits_ = 0;
};

class QueueIndex {
 public:
  static constexpr std::size_t chunk_entries = broker::chunk_entries;

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
  // Null when it is gone or never was.
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

 private:
  struct Chunk {
    Entry entries[chunk_entries];
    std::unique_ptr<IndexColumns> columns;
    std::uint32_t live = 0;
    Told told;
  };
  const Chunk* chunk_of(Seq seq) const;
  Chunk* chunk_of(Seq seq) { return const_cast<Chunk*>(std::as_const(*this).chunk_of(seq)); }
  void drop_front();

  std::vector<std::unique_ptr<Chunk>> chunks_;  // from first_; entries before `front_` were given up
  std::size_t front_ = 0;
  std::uint64_t first_ = 0;  // number of chunks_[front_]
  Seq begin_{0};
  Seq end_{0};
  std::size_t live_ = 0;
};

}  // namespace weir::broker
