// What it is: what a vhost, or a user, uses of the whole node, as counters that all shards add to; and the gates that hold
// its publishers to a rate.
// Shard: any. Lifetime: as long as a session, or a limited vhost of some shard, holds it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "runtime/shared_by_name.h"

namespace weir::node {

// Lets units pass at a rate, on average. Not one that is a little too early is turned away: whoever finds that he is
// ahead of the rate waits before the next one.
class RateGate {
 public:
  // Takes `units` at `now_ns`; returns for how long to wait then, 0 if not at all.
  std::uint64_t take_ns(std::uint64_t units, std::uint64_t rate_per_s, std::uint64_t now_ns) {
    __extension__ using Wide = unsigned __int128;
    const auto cost_ns = static_cast<std::uint64_t>(Wide{units} * 1'000'000'000U / rate_per_s);
    std::uint64_t known = paid_until_ns_.load(std::memory_order_relaxed);
    std::uint64_t next = 0;
    do {
      next = std::max(known, now_ns) + cost_ns;
    } while (!paid_until_ns_.compare_exchange_weak(known, next, std::memory_order_relaxed));
    return next > now_ns + burst_ns ? next - now_ns - burst_ns : 0;
  }

 private:
  // What may come at once: that of so long.
  static constexpr std::uint64_t burst_ns = 100'000'000;
  std::atomic<std::uint64_t> paid_until_ns_{0};
};

struct Tenant {
  std::atomic<std::uint64_t> connections{0}, channels{0};
  std::atomic<std::int64_t> messages{0}, bytes{0};  // kept; counted of vhosts that have a limit of it
  RateGate messages_gate, bytes_gate;
};

struct Tenants {
  runtime::SharedByName<Tenant> vhosts, users;
};

// One more of what is counted, unless there are as many as may be.
inline bool count_up(std::atomic<std::uint64_t>& count, std::optional<std::uint64_t> most) {
  const std::uint64_t before = count.fetch_add(1, std::memory_order_relaxed);
  if (!most || before < *most) return true;
  count.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

}  // namespace weir::node
