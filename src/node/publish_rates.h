// What it is: the rates that a session's publishing is held to, those of its user and of its vhost.
// Shard: the session's.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "broker/topology.h"
#include "node/tenants.h"

namespace weir::node {

class PublishRates {
 public:
  // Null: there is none, and nothing to pay for.
  static std::unique_ptr<PublishRates> make(const broker::Topology& topology, std::string_view user,
                                            std::string_view vhost, Tenant& of_user, Tenant& of_vhost);

  // One message more. Returns for how long to wait before the next one.
  std::uint64_t take_ns(std::uint64_t body_bytes, std::uint64_t now_ns) const;

 private:
  struct Rate {
    RateGate* gate = nullptr;
    std::uint64_t per_s = 0;
  };
  static constexpr std::size_t rates_max = 2;

  Rate messages_[rates_max], bytes_[rates_max];  // of the user, of the vhost
};

}  // namespace weir::node
