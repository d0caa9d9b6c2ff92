// What it is: a publishing channel's unconfirmed messages: when each was sent, and how many more may be sent before
// the broker has confirmed some. Confirms come singly, in any order, or for all up to a number.
// Shard: the producer's thread.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::cli {

class ConfirmWindow {
 public:
  explicit ConfirmWindow(std::size_t window)
      : window_(window), sent_ns_(std::bit_ceil(std::max<std::size_t>(window, 1) * span_factor)) {}

  // How many may be sent now.
  std::size_t room() const {
    const std::uint64_t span_left = sent_ns_.size() - (next_tag_ - lowest_);
    return std::min<std::uint64_t>(window_ - unconfirmed_, span_left);
  }
  std::uint64_t unconfirmed() const { return unconfirmed_; }
  // Unconfirmed number, or the next one.
  std::uint64_t lowest() const { return lowest_; }

  // A message was sent (or meant to be) at `sent_ns`, which is not 0. room() was at least 1.
  void add(std::uint64_t sent_ns) {
    sent_ns_[next_tag_++ & (sent_ns_.size() - 1)] = sent_ns;
    ++unconfirmed_;
  }

  // Takes the broker's answer and calls each(sent_ns, count) for runs of messages that were sent at the same time.
  // False if nothing unconfirmed has that number.
  template <typename Each>
  bool settle(std::uint64_t tag, bool multiple, Each&& each) {
    if (tag >= next_tag_ || tag < lowest_) return false;
    if (!multiple) {
      std::uint64_t& sent = sent_ns_[tag & (sent_ns_.size() - 1)];
      if (sent == 0) return false;
      each(sent, std::uint64_t{1});
      sent = 0;
      --unconfirmed_;
    } else {
      settle_up_to(tag, each);
    }
    while (lowest_ < next_tag_ && sent_ns_[lowest_ & (sent_ns_.size() - 1)] == 0) ++lowest_;
    return true;
  }

 private:
  // A confirm that stays away holds the ring back; so many windows may pass it.
  static constexpr std::size_t span_factor = 8;

  template <typename Each>
  void settle_up_to(std::uint64_t tag, Each& each) {
    std::uint64_t run_sent = 0;
    std::uint64_t run = 0;
    for (; lowest_ <= tag; ++lowest_) {
      std::uint64_t& sent = sent_ns_[lowest_ & (sent_ns_.size() - 1)];
      if (sent == 0) continue;
      if (sent != run_sent) {
        if (run > 0) each(run_sent, run);
        run_sent = sent;
        run = 0;
      }
      ++run;
      --unconfirmed_;
      sent = 0;
    }
    if (run > 0) each(run_sent, run);
  }

  std::size_t window_;
  std::vector<std::uint64_t> sent_ns_;  // by tag; 0 = confirmed
  std::uint64_t next_tag_ = 1;
  std::uint64_t lowest_ = 1;  // lowest unconfirmed, or next_tag_
  std::uint64_t unconfirmed_ = 0;
};

}  // namespace weir::cli
