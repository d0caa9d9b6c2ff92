// What it is: seqs that wait in order: new ones come in order; those that come back are sorted in.
#pragma once

#include <deque>
#include <functional>
#include <queue>
#include <vector>

#include "base/ids.h"

namespace weir::broker {

class SeqLine {
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

}  // namespace weir::broker
