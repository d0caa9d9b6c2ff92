#include "node/vhost_tallies.h"

#include <algorithm>
#include <optional>

#include "broker/tenant_limits.h"

namespace weir::node {

VhostTallies::Change VhostTallies::refresh(const broker::Topology& topology, const std::string& vhost) {
  namespace names = broker::limit_names;
  const auto most = [&](std::string_view name) {
    const std::uint64_t value =
        topology.limits().value(broker::LimitOf::vhost, vhost, name).value_or(INT64_MAX);
    return static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT64_MAX));
  };
  const std::int64_t messages_max = most(names::max_messages), bytes_max = most(names::max_bytes);
  const bool limited = messages_max != INT64_MAX || bytes_max != INT64_MAX;
  VhostTally* tally = find(vhost);
  if (!limited) return tally == nullptr ? Change::none : Change::ends;
  const Change change = tally == nullptr ? Change::begins : Change::none;
  if (tally == nullptr) {
    auto made = std::make_unique<VhostTally>(tenants_->vhosts.get(vhost));
    tally = made.get();
    tallies_.emplace(vhost, std::move(made));
  }
  tally->messages_max = messages_max;
  tally->bytes_max = bytes_max;
  return change;
}

}  // namespace weir::node
