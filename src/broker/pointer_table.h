// What it is: a hash table of pointers, open addressing: the caller hashes the key and says what matches, so that a
// look-up by string_view allocates nothing. P is T* (the caller owns) or std::unique_ptr<T> (the table owns).
// Lifetime: a pointed-to thing stays where it is; slots move.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace weir::broker {

template <typename P>
class PointerTable {
 public:
  using Pointed = typename std::pointer_traits<P>::element_type;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  template <typename Matches>
  Pointed* find(std::uint64_t hash, Matches&& matches) const {
    const std::size_t at = locate(hash, matches);
    return at == nowhere ? nullptr : std::to_address(slots_[at].pointer);
  }

  // The caller knows that nothing in the table matches.
  void insert(std::uint64_t hash, P pointer) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    place(Slot{std::move(pointer), tag_of(hash)});
    ++size_;
  }

  // Puts another pointer, of the same hash, in the place of the one that matches.
  template <typename Matches>
  void replace(std::uint64_t hash, Matches&& matches, P pointer) {
    const std::size_t at = locate(hash, matches);
    WEIR_ASSERT(at != nowhere);
    slots_[at].pointer = std::move(pointer);
  }

  // Null if there is none.
  template <typename Matches>
  P erase(std::uint64_t hash, Matches&& matches) {
    std::size_t hole = locate(hash, matches);
    if (hole == nowhere) return P{};
    P taken = std::exchange(slots_[hole].pointer, P{});
    --size_;
    // What comes after the hole moves up, unless it lies at or after its own first choice.
    for (std::size_t at = (hole + 1) & mask(); slots_[at].pointer; at = (at + 1) & mask()) {
      const std::size_t wanted = slots_[at].tag & mask();
      if (((at - wanted) & mask()) < ((at - hole) & mask())) continue;
      slots_[hole] = std::move(slots_[at]);
      slots_[at].pointer = P{};
      hole = at;
    }
    return taken;
  }

  // `visit` must not change the table.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const Slot& slot : slots_) {
      if (slot.pointer) visit(*slot.pointer);
    }
  }

 private:
  struct Slot {
    P pointer{};
    std::uint32_t tag = 0;
  };
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
  static constexpr std::size_t slots_min = 8;

  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  std::size_t mask() const { return slots_.size() - 1; }

  template <typename Matches>
  std::size_t locate(std::uint64_t hash, Matches& matches) const {
    if (size_ == 0) return nowhere;
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t at = tag & mask(); slots_[at].pointer; at = (at + 1) & mask()) {
      if (slots_[at].tag == tag && matches(*slots_[at].pointer)) return at;
    }
    return nowhere;
  }

  void place(Slot slot) {
    std::size_t at = slot.tag & mask();
    while (slots_[at].pointer) at = (at + 1) & mask();
    slots_[at] = std::move(slot);
  }

  void grow() {
    std::vector<Slot> old(slots_.empty() ? slots_min : slots_.size() * 2);
    old.swap(slots_);
    for (Slot& slot : old) {
      if (slot.pointer) place(std::move(slot));
    }
  }

  std::vector<Slot> slots_;  // a power of two, or none
  std::size_t size_ = 0;
};

}  // namespace weir::broker
