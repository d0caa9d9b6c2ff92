// What it is: checks passwords off the shard's thread, and remembers (as a keyed hash, in memory) which were right, so that
// a fleet that reconnects does not pay for the slow hash each time.
// Shard: one per shard, used on its thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/topology.h"
#include "node/session.h"

namespace weir::node {

class Authenticator {
 public:
  // Runs `work` elsewhere and then `done` here; false: too much is waiting. Empty: everything is done at once (tests).
  using Offload = std::function<bool(std::function<void()> work, std::function<void()> done)>;

  Authenticator(const broker::Topology& topology, std::vector<std::string> loopback_users, Offload offload);
  ~Authenticator();

  std::unique_ptr<Authentication> check(Credentials credentials, std::function<void(Status)> done);

 private:
  struct State;
  std::string remembered(const Credentials& credentials, const std::string& hash) const;

  const broker::Topology& topology_;
  std::vector<std::string> loopback_users_;
  Offload offload_;
  std::string key_;                                     // of this process
  std::unordered_map<std::string, std::string> right_;  // user -> keyed hash of what was right
};

}  // namespace weir::node
