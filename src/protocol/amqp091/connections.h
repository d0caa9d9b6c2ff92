// What it is: the AMQP 0-9-1 connections of one shard: takes accepted streams, owns the connections, destroys those that
// have ended, and closes all of them when the server stops.
// Shard: its BrokerClient's.
// Lifetime: the BrokerClient outlives it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/rng.h"
#include "node/session.h"
#include "protocol/amqp091/connection.h"
#include "protocol/amqp091/output.h"
#include "protocol/amqp091/settings.h"
#include "runtime/stream.h"
#include "runtime/timers.h"

namespace weir::amqp091 {

class Connections final : public ConnectionOwner, private node::TurnHook {
 public:
  // `open_count`, if it is not null, counts the connections of all shards together.
  explicit Connections(node::BrokerClient& client, Settings settings = {},
                       std::atomic<std::uint64_t>* open_count = nullptr);
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;
  ~Connections();

  void accept(std::unique_ptr<runtime::ByteStream> stream);
  std::size_t size() const { return open_.size(); }
  std::vector<ConnectionStatus> list() const;

  // Sends connection.close to everyone, and ends what has not answered within shutdown_grace_ms. `done` is called once,
  // from a turn's end or a timer. Nothing is accepted any more.
  void shut_down(std::function<void()> done);

  // --- ConnectionOwner ---
  void on_ended(Connection& connection) override;
  OutputBlocks& output_blocks() override { return blocks_; }
  Rng& names() override { return names_; }
  LoginDelays& login_delays() override { return login_delays_; }

 private:
  void on_turn_end() override;
  void on_grace_over();
  void tell_when_empty();
  void count(std::int64_t more);

  node::BrokerClient& client_;
  const Settings settings_;
  std::atomic<std::uint64_t>* const open_count_;
  OutputBlocks blocks_;
  Rng names_;
  LoginDelays login_delays_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> open_;
  std::vector<std::unique_ptr<Connection>> ended_;  // destroyed at the end of the turn
  bool stopping_ = false;
  std::function<void()> done_;
  runtime::MethodTimer<Connections, &Connections::on_grace_over> grace_{*this};
};

}  // namespace weir::amqp091
