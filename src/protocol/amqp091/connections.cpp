#include "protocol/amqp091/connections.h"

#include <utility>

namespace weir::amqp091 {

Connections::Connections(node::BrokerClient& client, Settings settings,
                         std::atomic<std::uint64_t>* open_count)
    : client_(client),
      settings_(settings),
      open_count_(open_count),
      names_(client.clock().monotonic_ns() ^ client.clock().wall_ms() << 20) {}

Connections::~Connections() {
  client_.forget_turn_end(*this);
  client_.timers().cancel(grace_);
  ended_.clear();
  count(-static_cast<std::int64_t>(open_.size()));
  open_.clear();
}

void Connections::count(std::int64_t more) {
  if (open_count_ != nullptr)
    open_count_->fetch_add(static_cast<std::uint64_t>(more), std::memory_order_relaxed);
}

void Connections::accept(std::unique_ptr<runtime::ByteStream> stream) {
  if (stopping_) return stream->close();
  auto connection = std::make_unique<Connection>(client_, std::move(stream), settings_, *this);
  Connection& opened = *connection;
  open_.emplace(&opened, std::move(connection));
  count(1);
  opened.open();
}

std::vector<ConnectionStatus> Connections::list() const {
  std::vector<ConnectionStatus> all;
  all.reserve(open_.size());
  for (const auto& [key, connection] : open_) all.push_back(connection->status());
  return all;
}

void Connections::on_ended(Connection& connection) {
  const auto found = open_.find(&connection);
  if (found == open_.end()) return;
  ended_.push_back(std::move(found->second));
  open_.erase(found);
  count(-1);
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

void Connections::shut_down(std::function<void()> done) {
  stopping_ = true;
  done_ = std::move(done);
  // Those that end at once leave the map.
  std::vector<Connection*> all;
  for (const auto& [key, connection] : open_) all.push_back(key);
  for (Connection* connection : all) connection->shut_down("broker shut down");
  client_.timers().arm(grace_, shutdown_grace_ms);
  client_.at_turn_end(*this);
}

void Connections::on_grace_over() {
  std::vector<Connection*> all;
  for (const auto& [key, connection] : open_) all.push_back(key);
  for (Connection* connection : all) connection->abort();
  ended_.clear();
  tell_when_empty();
}

}  // namespace weir::amqp091
