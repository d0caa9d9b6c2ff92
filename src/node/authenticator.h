// What it is: finds out who somebody is who logs in. Passwords are checked off the shard's thread, and those that were right
// are remembered (as a keyed hash, in memory), so that a fleet that reconnects does not pay for the slow hash each time.
// Access tokens are checked at once.
// Shard: one per shard, used on its thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "broker/topology.h"
#include "node/identity.h"
#include "node/session.h"

namespace weir::node {

class Authenticator {
 public:
  // Runs `work` elsewhere and then `done` here; false: too much is waiting. Empty: everything is done at once (tests).
  using Offload = std::function<bool(std::function<void()> work, std::function<void()> done)>;
  using Done = std::function<void(Result<Identity>)>;

  Authenticator(const broker::Topology& topology, AuthOptions options, Clock& clock, Offload offload);
  ~Authenticator();

  std::unique_ptr<Authentication> check(Credentials credentials, Done done);

 private:
  struct Checking;
  std::unique_ptr<Authentication> ask(std::size_t backend, Credentials credentials, Done done, Error before);
  // nullopt: the slow hash has to tell.
  std::optional<Result<Identity>> check_at_once(const Credentials& credentials) const;
  std::unique_ptr<Authentication> check_slowly(std::size_t backend, Credentials credentials, Done done);
  void finish(Checking& check);
  Result<Identity> check_token(const Credentials& credentials) const;
  Status check_origin(const std::string& user, const Credentials& credentials) const;
  std::string remembered(const Credentials& credentials, const std::string& hash) const;

  const broker::Topology& topology_;
  AuthOptions options_;
  Clock& clock_;
  Offload offload_;
  std::string key_;                                     // of this process
  std::unordered_map<std::string, std::string> right_;  // user -> keyed hash of what was right
  std::unordered_map<std::string, std::shared_ptr<Checking>> checking_;  // by that hash
};

}  // namespace weir::node
