#include "protocol/common/unacked.h"

#include <algorithm>

namespace weir {

namespace {
// Fewer entries are not worth moving.
constexpr std::size_t tidy_entries_min = 64;
// What an empty window keeps allocated.
constexpr std::size_t kept_entries_max = 4'096;
}  // namespace

void UnackedWindow::push(const Unacked& delivery) {
  if (entries_.size() == entries_.capacity()) tidy();
  entries_.push_back(delivery);
  ++live_;
}

void UnackedWindow::put_back(std::vector<Unacked>& taken) {
  if (taken.empty()) return;
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(head_));
  std::erase_if(entries_, [](const Unacked& entry) { return entry.seq == settled; });
  entries_.insert(entries_.end(), taken.begin(), taken.end());
  std::ranges::sort(entries_, {}, &Unacked::tag);
  head_ = 0;
  live_ = entries_.size();
  taken.clear();
}

bool UnackedWindow::take(std::uint64_t tag, Unacked& taken) {
  const std::size_t at = find(tag);
  if (at == none) return false;
  taken = entries_[at];
  entries_[at].seq = settled;
  --live_;
  if (at == head_) drop_front(at + 1);
  return true;
}

std::size_t UnackedWindow::find(std::uint64_t tag) const {
  if (head_ == entries_.size() || tag < entries_[head_].tag) return none;
  // Without gaps it lies exactly there; with gaps, before.
  const std::uint64_t distance = tag - entries_[head_].tag;
  const std::size_t last = entries_.size() - 1;
  std::size_t at = distance < last - head_ ? head_ + static_cast<std::size_t>(distance) : last;
  if (entries_[at].tag != tag) {
    const auto begin = entries_.begin() + static_cast<std::ptrdiff_t>(head_);
    const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(at);
    const auto found = std::ranges::lower_bound(begin, end, tag, {}, &Unacked::tag);
    if (found == end || found->tag != tag) return none;
    at = static_cast<std::size_t>(found - entries_.begin());
  }
  return entries_[at].seq == settled ? none : at;
}

// What lies before `end` is settled.
void UnackedWindow::drop_front(std::size_t end) {
  head_ = end;
  while (head_ < entries_.size() && entries_[head_].seq == settled) ++head_;
  if (head_ < entries_.size()) return;
  entries_.clear();
  head_ = 0;
  if (entries_.capacity() > kept_entries_max) entries_.shrink_to_fit();
}

// Instead of growing, cuts off the front and the settled ones in the middle, when they are half of all.
void UnackedWindow::tidy() {
  if (entries_.size() < tidy_entries_min || live_ * 2 > entries_.size()) return;
  std::erase_if(entries_, [first = entries_.data() + head_](const Unacked& entry) {
    return &entry < first || entry.seq == settled;
  });
  head_ = 0;
}

}  // namespace weir
