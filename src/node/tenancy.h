// What it is: a session's place among those of its user and its vhost: counted as long as it is there.
// Shard: the session's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "broker/topology.h"
#include "node/publish_rates.h"
#include "node/tenants.h"

namespace weir::node {

class Tenancy {
 public:
  // limit_exceeded: there are as many connections as there may be.
  // `counted`: it is a connection.
  static Result<Tenancy> enter(const broker::Topology& topology, Tenants& tenants, const std::string& user,
                               const std::string& vhost, bool counted = true);
  Tenancy(Tenancy&&) = default;
  Tenancy& operator=(Tenancy&&) = delete;
  ~Tenancy();

  // limit_exceeded: the user has as many as it may have.
  Status open_channel(const broker::Topology& topology, const std::string& user);
  void close_channel();

  std::unique_ptr<PublishRates> rates(const broker::Topology& topology, const std::string& user,
                                      const std::string& vhost) const {
    return PublishRates::make(topology, user, vhost, *user_, *vhost_);
  }

 private:
  Tenancy(std::shared_ptr<Tenant> user, std::shared_ptr<Tenant> vhost, bool counted)
      : user_(std::move(user)), vhost_(std::move(vhost)), counted_(counted) {}

  std::shared_ptr<Tenant> user_, vhost_;  // null: moved from
  std::uint64_t channels_ = 0;
  bool counted_;
};

}  // namespace weir::node
