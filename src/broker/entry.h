// What it is: where a message is and what has become of it, in 8 bytes.
//
//   63                          4  3           2            1..0
//  +-----------------------------+-----------+-------------+-----------------------------------+
//  | reference (opaque here) 60  | transient | redelivered | gone 0, ready 1, out 2, held 3    |
//  +-----------------------------+-----------+-------------+-----------------------------------+
#pragma once

#include <cstdint>

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
  static Entry of(std::uint64_t reference, std::uint8_t marks) {
    Entry entry;
    entry.bits_ = reference << 4 | marks;
    return entry;
  }

  EntryState state() const { return static_cast<EntryState>(bits_ & 3U); }
  bool redelivered() const { return (bits_ & 4U) != 0; }
  bool transient() const { return (bits_ & 8U) != 0; }
  std::uint64_t reference() const { return bits_ >> 4; }
  // All but the reference.
  std::uint8_t marks() const { return static_cast<std::uint8_t>(bits_ & 15U); }
  void set_state(EntryState state) {
    bits_ = (bits_ & ~std::uint64_t{3}) | static_cast<std::uint64_t>(state);
  }
  void set_redelivered() { bits_ |= 4U; }
  void set_reference(std::uint64_t reference) { bits_ = reference << 4 | (bits_ & 15U); }
  bool operator==(const Entry&) const = default;

 private:
  std::uint64_t bits_ = 0;
};

}  // namespace weir::broker
