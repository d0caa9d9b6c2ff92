#include "cli/bench_tally.h"

#include <algorithm>

namespace weir::cli {

namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr std::uint64_t seconds_max = 86'400;  // the series stops growing here

void add_series(std::vector<std::uint64_t>& to, const std::vector<std::uint64_t>& from) {
  if (to.size() < from.size()) to.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

}  // namespace

void BenchTally::merge(const BenchTally& other) {
  confirm_latency.merge(other.confirm_latency);
  deliver_latency.merge(other.deliver_latency);
  lateness.merge(other.lateness);
  published += other.published;
  confirmed += other.confirmed;
  consumed += other.consumed;
  add_series(confirmed_per_s, other.confirmed_per_s);
  add_series(consumed_per_s, other.consumed_per_s);
  last_event_ns = std::max(last_event_ns, other.last_event_ns);
  refused += other.refused;
  returned += other.returned;
  bad_confirms += other.bad_confirms;
  duplicates += other.duplicates;
  reordered += other.reordered;
  misrouted += other.misrouted;
  foreign += other.foreign;
  wrong_length += other.wrong_length;
  redelivered += other.redelivered;
}

void count_in_second(std::vector<std::uint64_t>& series, std::uint64_t begin_ns, std::uint64_t at_ns,
                     std::uint64_t count) {
  const std::uint64_t second = (at_ns - begin_ns) / second_ns;
  if (at_ns < begin_ns || second >= seconds_max) return;
  if (series.size() <= second) series.resize(second + 1);
  series[second] += count;
}

}  // namespace weir::cli
