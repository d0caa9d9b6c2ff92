#include "protocol/http/connections.h"

#include <utility>

namespace weir::http {

Connections::Connections(node::BrokerClient& client, Handler& handler, std::size_t connections_max,
                         Settings settings)
    : client_(client),
      handler_(handler),
      connections_max_(connections_max),
      settings_(settings),
      set_(client) {}

void Connections::accept(std::unique_ptr<runtime::ByteStream> stream) {
  if (set_.stopping() || set_.size() >= connections_max_) return stream->close();
  set_.open(std::make_unique<Connection>(client_, std::move(stream), settings_, handler_, *this));
}

void Connections::shut_down(std::function<void()> done) {
  set_.shut_down(shutdown_grace_ms, [](Connection& connection) { connection.shut_down(); }, std::move(done));
}

}  // namespace weir::http
