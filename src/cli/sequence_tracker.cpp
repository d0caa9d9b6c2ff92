#include "cli/sequence_tracker.h"

#include <algorithm>
#include <bit>

namespace weir::cli {

Observed SequenceTracker::observe_out_of_order(std::uint64_t seq) {
  if (seq < next_) return Observed::duplicate;
  const std::uint64_t ahead = seq - next_;
  if (ahead > ahead_max) return Observed::absurd;
  if (ahead + 64 >= bitmap_.size() * 64) grow(ahead + 65);
  if (test(seq)) return Observed::duplicate;
  bitmap_[word(seq)] |= std::uint64_t{1} << (seq % 64);
  ++ahead_count_;
  while (ahead_count_ > 0 && test(next_)) {
    bitmap_[word(next_)] &= ~(std::uint64_t{1} << (next_ % 64));
    ++next_;
    --ahead_count_;
  }
  return Observed::first_time;
}

void SequenceTracker::grow(std::uint64_t bits) {
  std::vector<std::uint64_t> old(std::bit_ceil(std::max<std::uint64_t>(bits / 64 + 1, 64)));
  old.swap(bitmap_);
  if (old.empty()) return;
  // The words after next_'s keep their numbers; only the ring around them is larger.
  const std::uint64_t first_word = next_ / 64;
  for (std::uint64_t w = first_word; w < first_word + old.size(); ++w) {
    bitmap_[w & (bitmap_.size() - 1)] = old[w & (old.size() - 1)];
  }
}

std::uint64_t SequenceTracker::missing(std::uint64_t sent) const {
  if (sent <= next_) return 0;
  std::uint64_t there = 0;
  const std::uint64_t end = std::min<std::uint64_t>(sent, next_ + bitmap_.size() * 64);
  for (std::uint64_t seq = next_; ahead_count_ > 0 && seq < end; ++seq) there += test(seq) ? 1 : 0;
  return sent - next_ - there;
}

}  // namespace weir::cli
