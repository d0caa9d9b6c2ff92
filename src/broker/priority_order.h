// What it is: which message of a queue with priorities goes next: of the highest level that has one, the oldest. Levels are
// made when they are first used.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

#include "base/ids.h"

namespace weir::broker {

class PriorityOrder {
 public:
  void push(std::uint8_t priority, Seq seq) {
    auto& level = levels_[priority];
    if (level == nullptr) level = std::make_unique<Level>();
    level->push(seq);
    occupied_[priority / 64] |= std::uint64_t{1} << priority % 64;
  }
  bool empty() const { return (occupied_[0] | occupied_[1] | occupied_[2] | occupied_[3]) == 0; }
  // Not of an empty one.
  Seq top() const { return levels_[highest()]->top(); }
  void pop() {
    const std::size_t at = highest();
    levels_[at]->pop();
    if (levels_[at]->empty()) occupied_[at / 64] &= ~(std::uint64_t{1} << at % 64);
  }

 private:
  // New ones come in order; those that come back are sorted in.
  class Level {
   public:
    void push(Seq seq) {
      if (fifo_.empty() || fifo_.back() < seq) return fifo_.push_back(seq);
      returned_.push(seq);
    }
    bool empty() const { return fifo_.empty() && returned_.empty(); }
    Seq top() const { return from_returned() ? returned_.top() : fifo_.front(); }
    void pop() { from_returned() ? returned_.pop() : fifo_.pop_front(); }

   private:
    bool from_returned() const {
      return !returned_.empty() && (fifo_.empty() || returned_.top() < fifo_.front());
    }
    std::deque<Seq> fifo_;
    std::priority_queue<Seq, std::vector<Seq>, std::greater<>> returned_;
  };

  std::size_t highest() const {
    std::size_t word = occupied_.size() - 1;
    while (occupied_[word] == 0) --word;
    return word * 64 + 63 - static_cast<std::size_t>(std::countl_zero(occupied_[word]));
  }

  std::array<std::unique_ptr<Level>, 256> levels_;
  std::array<std::uint64_t, 4> occupied_{};
};

}  // namespace weir::broker
