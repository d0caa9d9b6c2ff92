#include "app/http_service.h"

#include <latch>
#include <utility>

namespace weir::app {

HttpService::HttpService(node::Node& node, ShardId shard, http::Handler& handler, std::size_t connections_max)
    : node_(node), shard_(shard) {
  node_.run_on(shard_, [&] {
    connections_ = std::make_unique<http::Connections>(node_.client(shard_), handler, connections_max);
  });
}

HttpService::~HttpService() { stop(); }

Result<std::uint16_t> HttpService::listen(const std::string& address, runtime::TlsContext* tls) {
  Result<std::uint16_t> port = 0;
  node_.run_on(shard_, [&] {
    runtime::Loop& loop = node_.loop(shard_);
    auto listener = loop.listen(address, [this, &loop, tls](runtime::Socket socket) {
      connections_->accept(tls == nullptr ? loop.adopt(std::move(socket))
                                          : loop.adopt_tls(std::move(socket), *tls));
    });
    if (!listener) {
      port = std::unexpected(std::move(listener).error());
      return;
    }
    port = (*listener)->port();
    listeners_.push_back(std::move(*listener));
  });
  return port;
}

void HttpService::stop() {
  if (connections_ == nullptr) return;
  std::latch gone(1);
  node_.run_on(shard_, [&] {
    listeners_.clear();
    connections_->shut_down([&gone] { gone.count_down(); });
  });
  gone.wait();
  node_.run_on(shard_, [&] { connections_.reset(); });
}

}  // namespace weir::app
