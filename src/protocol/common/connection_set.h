// What it is: the connections of one protocol on one shard: owns them, destroys those that have ended at the end of the
// turn, and closes all of them when the server stops.
// Shard: its BrokerClient's.
// Lifetime: the BrokerClient outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "node/session.h"
#include "runtime/timers.h"

namespace weir {

// A Connection has open(), and abort(), which ends it without a word; it calls ended() once.
template <typename Connection>
class ConnectionSet final : private node::TurnHook {
 public:
  explicit ConnectionSet(node::BrokerClient& client) : client_(client) {}
  ConnectionSet(const ConnectionSet&) = delete;
  ConnectionSet& operator=(const ConnectionSet&) = delete;
  ~ConnectionSet() {
    client_.forget_turn_end(*this);
    client_.timers().cancel(grace_);
    ended_.clear();
    open_.clear();
  }

  bool stopping() const { return stopping_; }
  std::size_t size() const { return open_.size(); }

  void open(std::unique_ptr<Connection> connection) {
    Connection& opened = *connection;
    open_.emplace(&opened, std::move(connection));
    opened.open();
  }
  // It goes at the end of the turn. False: it has gone already.
  bool ended(Connection& connection) {
    const auto found = open_.find(&connection);
    if (found == open_.end()) return false;
    ended_.push_back(std::move(found->second));
    open_.erase(found);
    client_.at_turn_end(*this);
    return true;
  }
  // Of a moment: those that end meanwhile are visited all the same.
  template <typename Visit>
  void for_each(Visit&& visit) {
    std::vector<Connection*> all;
    all.reserve(open_.size());
    for (const auto& [key, connection] : open_) all.push_back(key);
    for (Connection* connection : all) visit(*connection);
  }

  // `ask` asks a connection to end; what has not ended within `grace_ms` is aborted. `done` is called once, from a turn's
  // end or a timer.
  template <typename Ask>
  void shut_down(std::uint64_t grace_ms, Ask&& ask, std::function<void()> done) {
    stopping_ = true;
    done_ = std::move(done);
    for_each(ask);
    client_.timers().arm(grace_, grace_ms);
    client_.at_turn_end(*this);
  }

 private:
  void on_turn_end() override {
    ended_.clear();
    tell_when_empty();
  }
  void on_grace_over() {
    for_each([](Connection& connection) { connection.abort(); });
    ended_.clear();
    tell_when_empty();
  }
  void tell_when_empty() {
    if (!stopping_ || !open_.empty() || !ended_.empty() || !done_) return;
    client_.timers().cancel(grace_);
    std::exchange(done_, nullptr)();
  }

  node::BrokerClient& client_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> open_;
  std::vector<std::unique_ptr<Connection>> ended_;  // destroyed at the end of the turn
  bool stopping_ = false;
  std::function<void()> done_;
  runtime::MethodTimer<ConnectionSet, &ConnectionSet::on_grace_over> grace_{*this};
};

}  // namespace weir
