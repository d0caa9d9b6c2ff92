// What it is: which message of a queue with priorities goes next: of the highest level that has one, the oldest. Levels are
// made when they are first used.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>

#include "base/ids.h"
#include "broker/seq_line.h"

namespace weir::broker {

class PriorityOrder {
 public:
  void push(std::uint8_t priority, Seq seq) {
    auto& level = levels_[priority];
    if (level == nullptr) level = std::make_unique<SeqLine>();
    level->push(seq);
    occupied_[priority / 64] |= std::uint64_t{1} << priority % 64;
  }
  bool empty() const { return (occupied_[0] | occupied_[1] | occupied_[2] | occupied_[3]) == 0; }
  // Not of an empty one.
  Seq top() const { return levels_[highest()]->top(); }
  // It goes.
  void pop() {
    const std::size_t at = highest();
    levels_[at]->pop();
    if (levels_[at]->empty()) occupied_[at / 64] &= ~(std::uint64_t{1} << at % 64);
  }
  // It went another way.
  void drop() { pop(); }

 private:
  std::size_t highest() const {
    std::size_t word = occupied_.size() - 1;
    while (occupied_[word] == 0) --word;
    return word * 64 + 63 - static_cast<std::size_t>(std::countl_zero(occupied_[word]));
  }

  std::array<std::unique_ptr<SeqLine>, 256> levels_;
  std::array<std::uint64_t, 4> occupied_{};
};

}  // namespace weir::broker
