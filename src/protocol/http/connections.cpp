#include "protocol/http/connections.h"

#include <utility>

namespace weir::http {

Connections::Connections(node::BrokerClient& client, Handler& handler, std::size_t connections_max,
                         Settings settings)
    : client_(client), handler_(handler), connections_max_(connections_max), settings_(settings) {}

Connections::~Connections() {
  client_.forget_turn_end(*this);
  client_.timers().cancel(grace_);
}

void Connections::accept(std::unique_ptr<runtime::ByteStream> stream) {
  if (stopping_ || open_.size() >= connections_max_) return stream->close();
  auto connection = std::make_unique<Connection>(client_, std::move(stream), settings_, handler_, *this);
  Connection& opened = *connection;
  open_.emplace(&opened, std::move(connection));
  opened.open();
}

void Connections::on_ended(Connection& connection) {
  const auto found = open_.find(&connection);
  if (found == open_.end()) return;
  ended_.push_back(std::move(found->second));
  open_.erase(found);
  client_.at_turn_end(*this);
}

void Connections::on_turn_end() {
  ended_.clear();
  tell_when_empty();
}

void Connections::tell_when_empty() {
  if (!stopping_ || !open_.empty() || !ended_.empty() || !done_) return;
  client_.timers().cancel(grace_);
  std::exchange(done_, nullptr)();
}

std::vector<Connection*> Connections::all() const {
  std::vector<Connection*> all;
  for (const auto& [key, connection] : open_) all.push_back(key);
  return all;
}

void Connections::shut_down(std::function<void()> done) {
  stopping_ = true;
  done_ = std::move(done);
  for (Connection* connection : all()) connection->shut_down();  // those that end at once leave the map
  client_.timers().arm(grace_, shutdown_grace_ms);
  client_.at_turn_end(*this);
}

void Connections::on_grace_over() {
  for (Connection* connection : all()) connection->abort();
  ended_.clear();
  tell_when_empty();
}

}  // namespace weir::http
