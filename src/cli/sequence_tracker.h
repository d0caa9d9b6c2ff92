// What it is: the set of sequence numbers of one lane that have come out of one queue: it knows duplicates at once and
// losses at the end. Numbers come nearly in order, so the set is a mark below which all have come and a bitmap after
// it; in the ordinary case observe() is a comparison and an increment.
// Shard: the thread of the queue's consumers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::cli {

enum class Observed : std::uint8_t { first_time, duplicate, absurd };

class SequenceTracker {
 public:
  // Further ahead of the first gap than this is not a sequence number of ours: absurd.
  static constexpr std::uint64_t ahead_max = std::uint64_t{1} << 28;

  Observed observe(std::uint64_t seq) {
    if (seq == next_ && ahead_count_ == 0) [[likely]] {
      ++next_;
      return Observed::first_time;
    }
    return observe_out_of_order(seq);
  }

  // All below it have come; it has not.
  std::uint64_t next() const { return next_; }
  std::uint64_t received() const { return next_ + ahead_count_; }
  // How many of 0 … sent - 1 have not come.
  std::uint64_t missing(std::uint64_t sent) const;

 private:
  Observed observe_out_of_order(std::uint64_t seq);
  void grow(std::uint64_t bits);
  bool test(std::uint64_t seq) const { return (bitmap_[word(seq)] >> (seq % 64) & 1U) != 0; }
  std::size_t word(std::uint64_t seq) const { return seq / 64 & (bitmap_.size() - 1); }

  std::uint64_t next_ = 0;
  std::uint64_t ahead_count_ = 0;      // numbers above next_ that have come
  std::vector<std::uint64_t> bitmap_;  // a ring of bits, size a power of two; bit seq for next_ <= seq
};

}  // namespace weir::cli
