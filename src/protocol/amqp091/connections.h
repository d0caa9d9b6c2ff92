// What it is: the AMQP 0-9-1 connections of one shard: takes accepted streams, and holds what
// the connections share.
// Shard: its BrokerClient's.
// Lifetime: the BrokerClient outlives it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "node/session.h"
#include "protocol/amqp091/connection.h"
#include "protocol/amqp091/settings.h"
#include "protocol/common/connection_set.h"
#include "protocol/common/front_end.h"
#include "protocol/common/output.h"
#include "runtime/stream.h"

namespace weir::amqp091 {

class Connections final : public FrontEnd, public ConnectionOwner {
 public:
  // `tally` may be null, and outlives this otherwise.
  explicit Connections(node::BrokerClient& client, Settings settings = {}, ConnectionTally* tally = nullptr);
  ~Connections() override;

  std::size_t size() const { return set_.size(); }
  std::vector<ConnectionStatus> list();

  // --- FrontEnd: sends connection.close to everyone, and waits shutdown_grace_ms for the answers ---
  void accept(std::unique_ptr<runtime::ByteStream> stream) override;
  void shut_down(std::function<void()> done) override;

  // --- ConnectionOwner ---
  void on_ended(Connection& connection) override;
  ClientConnection::Shared shared() override { return {blocks_, login_delays_}; }
  Rng& names() override { return names_; }

 private:
  void count(std::int64_t more);

  node::BrokerClient& client_;
  const Settings settings_;
  ConnectionTally* const tally_;
  OutputBlocks blocks_;
  Rng names_;
  LoginDelays login_delays_;
  ConnectionSet<Connection> set_;
};

}  // namespace weir::amqp091
