#include "admin/history.h"

#include <algorithm>

#include "base/assert.h"

namespace weir::admin {

void History::add(std::uint64_t at_ms, std::span<const std::uint64_t> values) {
  WEIR_ASSERT(values.size() == series_);
  for (std::size_t i = 0; i < rings_.size(); ++i) {
    Ring& ring = rings_[i];
    const Resolution& resolution = resolutions[i];
    if (!ring.times.empty()) {
      const std::uint64_t last_ms = ring.times[index(ring, 0)];
      if (at_ms <= last_ms) continue;
      // A little early is in time.
      if (i > 0 && at_ms - last_ms + history_interval_ms / 2 < resolution.interval_ms) continue;
    }
    if (ring.times.size() < resolution.samples) {
      ring.times.push_back(at_ms);
      ring.values.insert(ring.values.end(), values.begin(), values.end());
      continue;
    }
    ring.times[ring.next] = at_ms;
    std::copy(values.begin(), values.end(),
              ring.values.begin() + static_cast<std::ptrdiff_t>(ring.next * series_));
    ring.next = (ring.next + 1) % ring.times.size();
  }
}

std::uint64_t History::latest(std::size_t series) const {
  const Ring& ring = rings_[0];
  return ring.times.empty() ? 0 : ring.values[index(ring, 0) * series_ + series];
}

const History::Ring& History::ring_for(std::uint64_t age_ms) const {
  for (std::size_t i = 0; i + 1 < rings_.size(); ++i) {
    if (age_ms <= resolutions[i].interval_ms * (resolutions[i].samples - 1)) return rings_[i];
  }
  return rings_.back();
}

std::vector<History::Sample> History::samples(std::size_t series, std::uint64_t age_ms,
                                              std::uint64_t step_ms) const {
  std::vector<Sample> found;
  const Ring& ring = ring_for(age_ms);
  if (ring.times.empty() || step_ms == 0) return found;
  const std::uint64_t newest_ms = ring.times[index(ring, 0)];
  const std::size_t size = ring.times.size();
  std::size_t back = 0;
  for (std::uint64_t ago_ms = 0; ago_ms <= age_ms && found.size() < samples_max; ago_ms += step_ms) {
    if (ago_ms > newest_ms) break;
    const std::uint64_t at_ms = newest_ms - ago_ms;
    while (back < size && ring.times[index(ring, back)] > at_ms) ++back;
    if (back == size) break;
    found.push_back({at_ms, ring.values[index(ring, back) * series_ + series]});
  }
  return found;
}

double History::rate(std::size_t series) const {
  const Ring& ring = rings_[0];
  if (ring.times.size() < 2) return 0;
  const std::size_t last = index(ring, 0), before = index(ring, 1);
  const double grown = static_cast<double>(ring.values[last * series_ + series]) -
                       static_cast<double>(ring.values[before * series_ + series]);
  return grown * 1'000 / static_cast<double>(ring.times[last] - ring.times[before]);
}

std::size_t History::memory_bytes() const {
  std::size_t bytes = sizeof(*this);
  for (const Ring& ring : rings_)
    bytes += (ring.times.capacity() + ring.values.capacity()) * sizeof(std::uint64_t);
  return bytes;
}

}  // namespace weir::admin
