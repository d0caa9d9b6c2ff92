// What it is: AMQP 0-9-1 in a server: its listeners, and the connections of every shard. A connection is accepted on
// shard 0 and handed to the shards in turn.
// Shard: called on the main thread; what it owns lives on the shards and is made and destroyed there.
// Lifetime: the node outlives it; stop() comes before the node is stopped.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "app/settings.h"
#include "base/error.h"
#include "node/node.h"
#include "runtime/tls.h"

namespace weir::app {

class AmqpService {
 public:
  AmqpService(node::Node& node, const Settings& settings, std::uint64_t connections_max);
  AmqpService(const AmqpService&) = delete;
  AmqpService& operator=(const AmqpService&) = delete;
  ~AmqpService();

  // Returns the port. `tls` is null for plain TCP, and outlives this otherwise.
  Result<std::uint16_t> listen(const std::string& address, runtime::TlsContext* tls);

  // Listens no more, and asks every client to go; those that don't within the protocol's grace are cut off.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::app
