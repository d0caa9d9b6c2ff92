// What it is: when the unacknowledged deliveries of a channel were made, on a coarse clock: one mark for all deliveries of
// a while, so that nothing is kept and no timer runs per message.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <iterator>

namespace weir::amqp091 {

class DeliveryAges {
 public:
  // `oldest_tag`: of what is not acknowledged; older marks go. Deliveries within `grain_ms` count as one.
  void note(std::uint64_t tag, std::uint64_t oldest_tag, std::uint64_t now_ms, std::uint64_t grain_ms) {
    if (!marks_.empty() && now_ms <= marks_.back().until_ms) return;
    while (marks_.size() > 1 && marks_[1].first_tag <= oldest_tag) marks_.pop_front();
    if (marks_.size() == 1 && oldest_tag >= tag) marks_.clear();
    marks_.push_back({tag, now_ms + grain_ms});
  }

  // When it was delivered, or a little later; 0: it never was.
  std::uint64_t delivered_ms(std::uint64_t tag) const {
    const auto after =
        std::upper_bound(marks_.begin(), marks_.end(), tag,
                         [](std::uint64_t of, const Mark& mark) { return of < mark.first_tag; });
    return after == marks_.begin() ? 0 : std::prev(after)->until_ms;
  }

  std::size_t marks() const { return marks_.size(); }

 private:
  struct Mark {
    std::uint64_t first_tag;
    std::uint64_t until_ms;
  };
  std::deque<Mark> marks_;  // by ascending tag
};

}  // namespace weir::amqp091
