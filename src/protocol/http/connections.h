// What it is: the HTTP connections of one shard: takes accepted streams, owns the connections, destroys those that have
// ended, and closes all of them when the server stops.
// Shard: its BrokerClient's.
// Lifetime: the BrokerClient and the Handler outlive it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "node/session.h"
#include "protocol/common/connection_set.h"
#include "protocol/http/connection.h"
#include "runtime/stream.h"

namespace weir::http {

class Connections final : public ConnectionOwner {
 public:
  // Beyond `connections_max` a client is let go at once.
  Connections(node::BrokerClient& client, Handler& handler, std::size_t connections_max,
              Settings settings = {});

  void accept(std::unique_ptr<runtime::ByteStream> stream);
  std::size_t size() const { return set_.size(); }

  // Requests in work are answered; what is not within shutdown_grace_ms is cut off. `done` is called once, from a turn's
  // end or a timer. Nothing is accepted any more.
  void shut_down(std::function<void()> done);

  void on_ended(Connection& connection) override { set_.ended(connection); }

 private:
  static constexpr std::uint64_t shutdown_grace_ms = 2'000;

  node::BrokerClient& client_;
  Handler& handler_;
  const std::size_t connections_max_;
  const Settings settings_;
  ConnectionSet<Connection> set_;
};

}  // namespace weir::http
