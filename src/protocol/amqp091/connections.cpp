#include "protocol/amqp091/connections.h"

#include <utility>

namespace weir::amqp091 {

Connections::Connections(node::BrokerClient& client, Settings settings, ConnectionTally* tally)
    : client_(client),
      settings_(settings),
      tally_(tally),
      names_(client.clock().monotonic_ns() ^ client.clock().wall_ms() << 20),
      set_(client) {}

Connections::~Connections() { count(-static_cast<std::int64_t>(set_.size())); }

void Connections::count(std::int64_t more) {
  if (tally_ != nullptr) tally_->add(more);
}

void Connections::accept(std::unique_ptr<runtime::ByteStream> stream) {
  if (set_.stopping()) return stream->close();
  count(1);
  set_.open(std::make_unique<Connection>(client_, std::move(stream), settings_, *this));
}

std::vector<ConnectionStatus> Connections::list() {
  std::vector<ConnectionStatus> all;
  set_.for_each([&](const Connection& connection) { all.push_back(connection.status()); });
  return all;
}

void Connections::on_ended(Connection& connection) {
  if (set_.ended(connection)) count(-1);
}

void Connections::shut_down(std::function<void()> done) {
  set_.shut_down(
      shutdown_grace_ms, [](Connection& connection) { connection.shut_down("broker shut down"); },
      std::move(done));
}

}  // namespace weir::amqp091
