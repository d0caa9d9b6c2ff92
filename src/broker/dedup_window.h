// What it is: the ids of the messages that came to a queue lately: so long ago at most, so many at most. A message whose id
// is in it was seen. 24 bytes an id, in blocks by age, and 4 to 16 more in a table of places.
//
// An id stands in the journal, in its message's record, and is as safe as the message. So that the log need not stay for
// its sake, a block of old ids can be written again at the log's end (renew()): in the form of encode_block():
//   u64 seq, u64 unix ms: of its first id; then for each id: u64 low, u64 high, u32 seq and u32 ms after those
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "broker/dedup_id.h"

namespace weir::broker {

class DedupWindow {
 public:
  struct Seen {
    DedupId id;
    Seq seq;              // of its message
    std::uint64_t at_ms;  // Unix
    Lsn lsn{UINT64_MAX};  // what of the journal tells it is not before; max: it is in memory only
  };

  // `window_ms` 0: of any age.
  DedupWindow(std::uint64_t window_ms, std::uint64_t ids_max) : window_ms_(window_ms), ids_max_(ids_max) {}
  // What lies beyond it now is forgotten; what was forgotten before does not come back.
  void resize(std::uint64_t window_ms, std::uint64_t ids_max);

  // Was it seen within the window?
  bool contains(const DedupId& id, std::uint64_t now_ms);
  // Seqs ascend. What lies beyond the window is forgotten.
  void add(const Seen& seen);
  std::size_t size() const { return size_; }

  // --- replay: in any order, also twice; then learned() ---
  void learn(const Seen& seen) { learning_.push_back(seen); }
  void learned();

  // --- the journal ---

  // What the journal tells from there on must be read by the next start. `durable`: of the journal.
  Lsn oldest(Lsn durable, std::uint64_t now_ms);
  // Of those in the journal before `before`, each block: `write` returns where its record is not before, and its end.
  struct Written {
    Lsn begin, end;
  };
  void renew(Lsn before, Lsn durable, const std::function<Written(Seq first, Bytes payload)>& write);
  // Calls `each` with every id of a payload; false: it is not in the form.
  static bool decode_block(Bytes payload, const std::function<void(const Seen&)>& each);

  std::size_t bytes() const { return size_ * sizeof(Slot) + table_.capacity() * sizeof(std::uint32_t); }

 private:
  // Of a place: the block's number and where in it. The highest number of all is no place.
  static constexpr unsigned slot_bits = 10;
  static constexpr std::uint32_t block_slots = (1U << slot_bits) - 1;
  static constexpr std::uint32_t number_mask = UINT32_MAX >> slot_bits;
  static constexpr std::uint32_t nowhere = UINT32_MAX;

  struct Slot {
    DedupId id;
    std::uint32_t seq = 0, ms = 0;  // after the block's
  };
  struct Block {
    Seq seq;
    std::uint64_t ms = 0;
    Lsn lsn{UINT64_MAX};
    Lsn renewed{0}, renewed_end{0};  // not durable yet
    std::vector<Slot> slots;
  };

  const Slot& slot_at(std::uint32_t place) const;
  std::uint32_t* find(const DedupId& id);
  void insert(const DedupId& id, std::uint32_t place);
  void erase(std::uint32_t* at);
  void grow();
  void drop_oldest();
  void forget_old(std::uint64_t now_ms);
  Block& block_for(const Seen& seen);

  std::uint64_t window_ms_, ids_max_;
  std::deque<Block> blocks_;
  std::uint32_t front_ = 0;  // number of the first one
  std::size_t dropped_ = 0;  // slots of it that are out of the window
  std::size_t size_ = 0;
  std::vector<std::uint32_t> table_;  // places, open addressing; a power of two
  std::size_t used_ = 0;
  std::vector<Seen> learning_;
};

}  // namespace weir::broker
