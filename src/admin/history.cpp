#include "admin/history.h"

#include <algorithm>

#include "base/assert.h"

namespace weir::admin {

void History::add(std::uint64_t at_ms, std::span<const std::uint64_t> values) {
  WEIR_ASSERT(values.size() == series_);
  if (!empty()) {
    const Ring& finest = rings_[0];
    const std::size_t last = index(finest, 0);
    if (at_ms <= finest.times[last]) return;
    const auto known = finest.values.begin() + static_cast<std::ptrdiff_t>(last * series_);
    if (std::equal(values.begin(), values.end(), known)) return;
  }
  for (std::size_t i = 0; i < rings_.size(); ++i) {
    Ring& ring = rings_[i];
    if (i > 0 && !ring.times.empty()) {
      // A little early is in time.
      const std::uint64_t since_ms = at_ms - ring.times[index(ring, 0)];
      if (since_ms + history_interval_ms / 2 < resolutions[i].interval_ms) continue;
    }
    put(ring, resolutions[i].samples, at_ms, values);
  }
}

void History::put(Ring& ring, std::size_t samples_max, std::uint64_t at_ms,
                  std::span<const std::uint64_t> values) {
  if (ring.times.size() == samples_max) {
    ring.times[ring.next] = at_ms;
    std::copy(values.begin(), values.end(),
              ring.values.begin() + static_cast<std::ptrdiff_t>(ring.next * series_));
    ring.next = (ring.next + 1) % samples_max;
    return;
  }
  if (ring.times.size() == ring.times.capacity()) {
    const std::size_t room =
        std::min(samples_max, ring.times.size() + std::max<std::size_t>(2, ring.times.size() / 2));
    ring.times.reserve(room);
    ring.values.reserve(room * series_);
  }
  ring.times.push_back(at_ms);
  ring.values.insert(ring.values.end(), values.begin(), values.end());
}

std::uint64_t History::latest(std::size_t series) const {
  const Ring& ring = rings_[0];
  return ring.times.empty() ? 0 : ring.values[index(ring, 0) * series_ + series];
}

std::uint64_t History::latest_ms() const {
  const Ring& ring = rings_[0];
  return ring.times.empty() ? 0 : ring.times[index(ring, 0)];
}

void History::add_samples(std::size_t series, const SampleRange& range, std::span<std::uint64_t> sums) const {
  std::array<std::size_t, resolutions.size()> back{};
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::uint64_t ago_ms = i * range.incr_ms;
    if (ago_ms > range.last_ms) return;
    const std::uint64_t at_ms = range.last_ms - ago_ms;
    // The latest one of all that is not later.
    std::uint64_t found_ms = 0, value = 0;
    for (std::size_t r = 0; r < rings_.size(); ++r) {
      const Ring& ring = rings_[r];
      const std::size_t size = ring.times.size();
      while (back[r] < size && ring.times[index(ring, back[r])] > at_ms) ++back[r];
      if (back[r] == size) continue;
      const std::size_t at = index(ring, back[r]);
      if (ring.times[at] <= found_ms) continue;
      found_ms = ring.times[at];
      value = ring.values[at * series_ + series];
    }
    sums[i] += value;
  }
}

double History::rate(std::size_t series, std::uint64_t now_ms) const {
  const Ring& ring = rings_[0];
  if (ring.times.size() < 2 || now_ms > latest_ms() + 2 * history_interval_ms) return 0;
  const std::size_t last = index(ring, 0), before = index(ring, 1);
  // Until one interval before, nothing had changed since then.
  const std::uint64_t since_ms = std::min(ring.times[last] - ring.times[before], history_interval_ms);
  const double grown = static_cast<double>(ring.values[last * series_ + series]) -
                       static_cast<double>(ring.values[before * series_ + series]);
  return grown * 1'000 / static_cast<double>(since_ms);
}

std::size_t History::memory_bytes() const {
  std::size_t bytes = sizeof(*this);
  for (const Ring& ring : rings_)
    bytes += (ring.times.capacity() + ring.values.capacity()) * sizeof(std::uint64_t);
  return bytes;
}

}  // namespace weir::admin
