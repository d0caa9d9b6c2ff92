// What it is: a protocol in a server: its listeners, and the connections of every shard. A connection is accepted on shard
// 0 and handed to the shards in turn.
// Shard: called on the main thread; what it owns lives on the shards and is made and destroyed there.
// Lifetime: the node and the tally outlive it; stop() comes before the node is stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "node/node.h"
#include "protocol/common/front_end.h"
#include "protocol/http/web_socket_upgrade.h"
#include "runtime/tls.h"

namespace weir::app {

class ProtocolService {
 public:
  // Makes the protocol's part on a shard, there.
  using MakeFrontEnd =
      std::function<std::unique_ptr<FrontEnd>(node::BrokerClient& client, ConnectionTally& tally)>;

  // `name`: in the log ("amqp").
  ProtocolService(node::Node& node, std::string name, ConnectionTally& tally, const MakeFrontEnd& make);
  ProtocolService(const ProtocolService&) = delete;
  ProtocolService& operator=(const ProtocolService&) = delete;
  ~ProtocolService();

  // Returns the port. `tls` is null for plain TCP, and outlives this otherwise.
  Result<std::uint16_t> listen(const std::string& address, runtime::TlsContext* tls);
  // The same, over WebSocket.
  Result<std::uint16_t> listen_web(const std::string& address, runtime::TlsContext* tls,
                                   http::WebSocketOptions options);

  // Listens no more, and asks every client to go; those that don't within the protocol's grace are cut off.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::app
