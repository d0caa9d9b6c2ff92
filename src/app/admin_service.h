// What it is: the management API in a server.
// Shard: called on the main thread; the API lives on shard 0.
// Lifetime: the node outlives it, stopped: what the API has asked of it may be answered until then.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "admin/api.h"
#include "app/http_service.h"
#include "app/settings.h"

namespace weir::app {

class AdminService {
 public:
  // `tls`, which outlives it, is that of the listeners; null: none is over TLS. `clients_max`: their connections.
  AdminService(node::Node& node, const Settings& settings, runtime::TlsContext* tls,
               std::uint64_t clients_max);

  Result<std::uint16_t> listen(const std::string& address, runtime::TlsContext* tls) {
    return http_.listen(address, tls);
  }
  // What the server listens on, for those who ask.
  void show(std::vector<admin::ListenerFacts> listeners);
  void stop();

 private:
  node::Node& node_;
  admin::Api api_;
  HttpService http_;
};

}  // namespace weir::app
