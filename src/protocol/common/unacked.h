// What it is: a channel's deliveries that the client has not settled yet, by delivery tag: what an acknowledgement
// means. Acknowledging in the order of delivery, one by one or many at once, costs O(1) each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "node/session.h"

namespace weir {

struct Unacked {
  std::uint64_t tag = 0;
  Seq seq;
  QueueId queue;
  node::ConsumerNumber consumer = node::no_consumer;
};

class UnackedWindow {
 public:
  std::size_t size() const { return live_; }
  bool empty() const { return live_ == 0; }

  // Tags ascend; there may be gaps (deliveries that need no acknowledgement).
  void push(const Unacked& delivery);

  // Not of an empty one.
  std::uint64_t oldest_tag() const { return entries_[head_].tag; }
  // The oldest first, until `each` returns false.
  template <typename Each>
  void visit(Each&& each) const {
    for (std::size_t at = head_; at < entries_.size(); ++at) {
      if (entries_[at].seq != settled && !each(entries_[at])) return;
    }
  }
  // Those were taken out, in any order; they are in their places again, and `taken` is empty.
  void put_back(std::vector<Unacked>& taken);

  // Takes the one of this tag out. False: there is none.
  bool take(std::uint64_t tag, Unacked& taken);

  // Takes all up to and with this tag out, in order, giving each to `visit`, which may push. False: none of this very
  // tag is there; nothing happened.
  template <typename Visit>
  bool take_through(std::uint64_t tag, Visit&& visit) {
    if (find(tag) == none) return false;
    take_up_to(tag, visit);
    return true;
  }
  template <typename Visit>
  void take_all(Visit&& visit) {
    if (!empty()) take_up_to(entries_.back().tag, visit);
  }

 private:
  static constexpr std::size_t none = SIZE_MAX;
  static constexpr Seq settled{UINT64_MAX};  // an entry that was taken out of the middle

  std::size_t find(std::uint64_t tag) const;
  void drop_front(std::size_t end);
  void tidy();

  template <typename Visit>
  void take_up_to(std::uint64_t tag, Visit& visit) {
    while (!empty() && entries_[head_].tag <= tag) {
      const Unacked taken = entries_[head_];
      --live_;
      drop_front(head_ + 1);
      visit(taken);
    }
  }

  // By ascending tag; head_ is the first that is not settled. Before it is what was dropped.
  std::vector<Unacked> entries_;
  std::size_t head_ = 0;
  std::size_t live_ = 0;
};

}  // namespace weir
