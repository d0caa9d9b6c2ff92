// What it is: the pages for Prometheus in a server.
// Shard: called on the main thread; the pages live on shard 0.
// Lifetime: the node outlives it, stopped: what it has asked of it may be answered until then.
#pragma once

#include <cstdint>
#include <string>

#include "admin/metrics_page.h"
#include "app/http_service.h"
#include "app/settings.h"

namespace weir::app {

class MetricsService {
 public:
  MetricsService(node::Node& node, const Settings& settings);

  // Returns the port.
  Result<std::uint16_t> listen(const std::string& address, runtime::TlsContext* tls) {
    return http_.listen(address, tls);
  }
  void stop();

 private:
  node::Node& node_;
  admin::MetricsPage page_;
  HttpService http_;
};

}  // namespace weir::app
