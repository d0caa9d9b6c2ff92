// What it is: how much the queues of limited vhosts keep, added up over all shards as it changes.
// Shard: its own; the sums are the node's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "broker/topology.h"
#include "node/tenants.h"

namespace weir::node {

// Of one vhost, this shard's part of it. Queues of the vhost point here (broker::Queue::tally).
class VhostTally {
 public:
  explicit VhostTally(std::shared_ptr<Tenant> vhost) : vhost_(std::move(vhost)) {}
  VhostTally(const VhostTally&) = delete;
  VhostTally& operator=(const VhostTally&) = delete;
  ~VhostTally() { add(-messages_, -bytes_); }

  void add(std::int64_t messages, std::int64_t bytes) {
    messages_ += messages;
    bytes_ += bytes;
    vhost_->messages.fetch_add(messages, std::memory_order_relaxed);
    vhost_->bytes.fetch_add(bytes, std::memory_order_relaxed);
  }
  // One more must not come.
  bool full() const {
    return vhost_->messages.load(std::memory_order_relaxed) >= messages_max ||
           vhost_->bytes.load(std::memory_order_relaxed) >= bytes_max;
  }

  std::int64_t messages_max = INT64_MAX, bytes_max = INT64_MAX;

 private:
  std::shared_ptr<Tenant> vhost_;
  std::int64_t messages_ = 0, bytes_ = 0;  // of this shard
};

class VhostTallies {
 public:
  void use(Tenants& tenants) { tenants_ = &tenants; }

  // Null: the vhost is not limited.
  VhostTally* find(std::string_view vhost) const {
    if (tallies_.empty()) return nullptr;
    const auto found = tallies_.find(vhost);
    return found == tallies_.end() ? nullptr : found->second.get();
  }

  enum class Change : std::uint8_t { none, begins, ends };
  // The vhost's limits may have changed. begins: its queues are to be counted, and given the tally; ends: they are to
  // be taken off the tally, and then end() is to be called.
  Change refresh(const broker::Topology& topology, const std::string& vhost);
  void end(const std::string& vhost) { tallies_.erase(vhost); }

 private:
  Tenants* tenants_ = nullptr;
  std::map<std::string, std::unique_ptr<VhostTally>, std::less<>> tallies_;
};

}  // namespace weir::node
