// What it is: something served over HTTP on one shard of a server: its listeners and its connections.
// Shard: called on the main thread; what it owns lives on the shard and is made and destroyed there.
// Lifetime: the node and the handler outlive it; stop() comes before the node is stopped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "node/node.h"
#include "protocol/http/connections.h"
#include "runtime/tls.h"

namespace weir::app {

class HttpService {
 public:
  HttpService(node::Node& node, ShardId shard, http::Handler& handler, std::size_t connections_max);
  HttpService(const HttpService&) = delete;
  HttpService& operator=(const HttpService&) = delete;
  ~HttpService();

  // Returns the port. `tls` is null for plain TCP, and outlives this otherwise.
  Result<std::uint16_t> listen(const std::string& address, runtime::TlsContext* tls);

  // Listens no more; requests in work are answered, then every connection is gone.
  void stop();

 private:
  node::Node& node_;
  const ShardId shard_;
  std::unique_ptr<http::Connections> connections_;
  std::vector<std::unique_ptr<runtime::Listener>> listeners_;
};

}  // namespace weir::app
