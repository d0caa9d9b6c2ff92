// What it is: the HTTP connections of one shard: takes accepted streams, owns the connections, destroys those that have
// ended, and closes all of them when the server stops.
// Shard: its BrokerClient's.
// Lifetime: the BrokerClient and the Handler outlive it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "node/session.h"
#include "protocol/http/connection.h"
#include "runtime/stream.h"
#include "runtime/timers.h"

namespace weir::http {

class Connections final : public ConnectionOwner, private node::TurnHook {
 public:
  // Beyond `connections_max` a client is let go at once.
  Connections(node::BrokerClient& client, Handler& handler, std::size_t connections_max,
              Settings settings = {});
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;
  ~Connections();

  void accept(std::unique_ptr<runtime::ByteStream> stream);
  std::size_t size() const { return open_.size(); }

  // Requests in work are answered; what is not within shutdown_grace_ms is cut off. `done` is called once, from a turn's
  // end or a timer. Nothing is accepted any more.
  void shut_down(std::function<void()> done);

  void on_ended(Connection& connection) override;

 private:
  static constexpr std::uint64_t shutdown_grace_ms = 2'000;

  void on_turn_end() override;
  void on_grace_over();
  void tell_when_empty();
  std::vector<Connection*> all() const;

  node::BrokerClient& client_;
  Handler& handler_;
  const std::size_t connections_max_;
  const Settings settings_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> open_;
  std::vector<std::unique_ptr<Connection>> ended_;  // destroyed at the end of the turn
  bool stopping_ = false;
  std::function<void()> done_;
  runtime::MethodTimer<Connections, &Connections::on_grace_over> grace_{*this};
};

}  // namespace weir::http
