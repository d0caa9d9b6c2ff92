// What it is: a shard's part in being looked at (node/observe.h): asks all shards for those who look here, and visits this
// shard's objects for those who ask, a bounded number in a turn.
// Shard: its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/topology.h"
#include "node/exchange_uses.h"
#include "node/messages.h"
#include "node/observe.h"
#include "node/outbox.h"
#include "node/queue_host.h"
#include "node/sessions.h"

namespace weir::node {

// Queues, consumers, connections, channels and exchanges that one turn looks at.
inline constexpr std::size_t observed_per_turn_max = 1'024;

class Observer {
 public:
  struct Surroundings {
    ShardId self;
    std::uint16_t shards = 1;
    Clock& clock;
    const broker::Topology& topology;
    Outbox& outbox;
    QueueHost& host;
    Sessions& sessions;
    ExchangeUses& exchanges;
    std::function<void()> wake;  // another turn is wanted soon
    std::function<ShardRow()> describe_shard;
  };
  explicit Observer(Surroundings surroundings) : at_(std::move(surroundings)) {}

  // BrokerClient::observe.
  std::unique_ptr<Observing> observe(ObserveScope scope, std::function<void(Observed&&)> done);

  void asked(ObserveAsked question);
  void answered(ObserveAnswer answer);
  bool has_work() const;
  // Once a turn.
  void step();

  // The moment to take samples of what is counted, for rates; the next turns do it.
  void begin_samples();
  // There is something that samples could be taken of.
  bool wants_samples() const;

 private:
  class Ticket;
  struct Question {
    std::function<void(Observed&&)> done;
    Observed rows;
    std::uint16_t missing = 0;
  };
  struct Visit {
    ObserveAsked question;
    Observed rows;
    std::vector<QueueId> queues;
    std::size_t queue = 0, consumer = 0;
    std::vector<SessionId> sessions;
    std::size_t session = 0;
    std::optional<ExchangeUses::Key> exchange;  // the last one that was visited
    bool exchanges_done = false;
    std::size_t reads = 0;  // of oldest messages, that are waited for
    std::map<std::string, VhostSums, std::less<>> vhosts;
    std::vector<QueueName> names;
  };

  void begin(Visit& visit);
  // False: the rest is for the next turn.
  bool go_on(Visit& visit, std::size_t& budget);
  bool visit_queues(Visit& visit, std::size_t& budget);
  bool visit_sessions(Visit& visit, std::size_t& budget);
  bool visit_exchanges(Visit& visit, std::size_t& budget);
  void finish(Visit& visit);
  bool concerns(const ObserveScope& scope, const broker::QueueDefinition& queue) const;
  void sample(std::size_t budget);

  Surroundings at_;
  std::uint64_t next_number_ = 1;
  std::map<std::uint64_t, Question> questions_;
  std::list<Visit> visits_;

  bool sampling_ = false;
  std::size_t sampled_queues_ = 0, sampled_sessions_ = 0;
  std::vector<SessionId> sessions_to_sample_;
  std::optional<ExchangeUses::Key> sampled_exchange_;
};

}  // namespace weir::node
