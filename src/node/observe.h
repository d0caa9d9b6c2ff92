// What it is: what those see who watch the node: its queues, consumers, connections, channels, exchanges and shards, by
// value. BrokerClient::observe asks every shard; each visits a bounded number of its objects in a turn, so that a busy shard
// is never held up, whatever it has. What comes and goes meanwhile may or may not be seen; nothing is seen twice but a
// consumer whose queue loses another one at that moment.
// Numbers are of the moment of the visit. Names, arguments and policies of queues are in the topology, by id.
// Shard: of the BrokerClient that was asked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/counters.h"
#include "base/ids.h"
#include "base/meter.h"
#include "broker/definitions.h"
#include "broker/queue_use.h"
#include "node/connection_facts.h"
#include "node/exchange_uses.h"
#include "node/host_stats.h"
#include "node/journeys.h"
#include "node/session.h"
#include "node/traffic.h"
#include "storage/journal.h"

namespace weir::node {

struct QueueRow {
  QueueId queue;
  ShardId shard;
  std::uint64_t ready = 0;
  std::uint64_t unacknowledged = 0;
  std::uint64_t held = 0;        // delayed, or on their way to a dead-letter exchange: neither of the two
  std::uint64_t persistent = 0;  // messages that are in the journal
  // With names, properties and what the store adds.
  std::uint64_t bytes = 0, bytes_unacknowledged = 0, bytes_persistent = 0, bytes_in_memory = 0;
  std::uint32_t consumers = 0;
  // The share of the last seconds in which consumers could take what came; 0 where there are none.
  double consumer_capacity = 0;
  std::uint64_t memory_bytes = 0;  // about
  // When the oldest message that is left was received, wall clock; 0: it is not in memory, or there is none.
  std::uint64_t oldest_ms = 0;
  bool oldest_on_disk = false;              // it would have to be read, which is done for ObserveScope::only
  std::uint64_t idle_since_ms = 0;          // wall clock; 0: something happened in the last seconds, or never
  bool used = false;                        // something happened since the start
  std::optional<SessionId> active_session;  // of the single active consumer
  std::string active_consumer;              // its tag
  Counters<broker::QueueCount> counts;
  Rates<broker::QueueCount> rates;

  std::uint64_t messages() const { return ready + unacknowledged; }
  // More goes than comes: in so many seconds it is empty. None: it is empty, or it is not getting emptier.
  std::optional<double> seconds_to_drain() const;
};

// A queue in a list, before it is known which part of the list is looked at.
struct QueueName {
  QueueId queue;
  std::string vhost, name;
  double key = 0;
};

struct ConsumerRow {
  QueueId queue;
  SessionId session;
  std::uint32_t channel = 0;
  std::string tag;
  bool ack_required = true;
  bool exclusive = false;
  bool active = true;                       // it would get the next message, if it had room
  std::string_view activity_status = "up";  // a constant: "up", "single_active", "waiting"
  std::uint32_t prefetch = 0;               // 0: no limit
  std::uint32_t unacknowledged = 0;
  std::int32_t priority = 0;
  broker::Table arguments;
};

struct SessionRow {
  SessionId id;
  ShardId shard;
  std::string name;  // "192.0.2.1:40000 -> 192.0.2.9:5672"
  SessionInfo info;
  std::uint64_t connected_at_ms = 0;  // wall clock
  ConnectionFacts facts;
  std::vector<ChannelRow> channels;  // where they are asked for
};

struct ExchangeRow {
  std::string vhost, name;
  Counters<ExchangeCount> counts;
  Rates<ExchangeCount> rates;
};

// Of the queues of a vhost together, and of what is published there.
struct VhostSums {
  std::string name;
  std::uint64_t queues = 0, consumers = 0;
  std::uint64_t ready = 0, unacknowledged = 0, held = 0;
  std::uint64_t bytes = 0, bytes_unacknowledged = 0, bytes_persistent = 0, bytes_in_memory = 0;
  std::uint64_t persistent = 0, memory_bytes = 0;
  std::uint64_t oldest_ms = 0;          // the least of those that are known
  Counters<broker::QueueCount> counts;  // of queues that are there still
  Rates<broker::QueueCount> rates;

  void add(const QueueRow& queue);
  VhostSums& operator+=(const VhostSums& other);
};

struct ShardRow {
  ShardId shard;
  std::uint64_t queues = 0, sessions = 0;
  storage::Journal::Stats journal;
  std::uint64_t journal_pending_bytes = 0;
  HostStats messages;
  Traffic traffic;
  std::uint64_t letters_waiting = 0;  // on their way to dead-letter exchanges
  std::string alarm;                  // "memory", "disk", "disk throughput"; empty: none
  bool publishing_open = true;
  std::uint64_t cpu_ns = 0;           // of its thread since the start; 0: not known
  std::uint64_t transient_bytes = 0;  // of the node: messages that are in memory alone
};

inline constexpr std::size_t oldest_reads_max = 64;

struct ObserveScope {
  bool queues = false, consumers = false, sessions = false, channels = false, exchanges = false;
  bool moving = false;  // of queues, only those that something happened to in the last seconds
  bool names = false;   // of queues their names alone, and
  double (*key)(const QueueRow& row) = nullptr;  // what they are sorted by; null: nothing
  bool sums = false;                             // of the queues, by vhost
  bool shards = false;                           // one row each
  std::optional<std::string> vhost;              // of it alone; shards and sums of shards are the node's
  // Those queues alone (and their consumers); empty: all. Of the first oldest_reads_max, the oldest messages are read,
  // unless nobody wants that.
  std::vector<QueueId> only;
  bool reads_oldest = true;
  std::optional<SessionId> session;  // of it alone
  std::optional<JourneyQuery> journeys;
};

struct Observed {
  std::uint64_t at_ms = 0;  // wall clock
  std::vector<QueueRow> queues;
  std::vector<std::vector<QueueName>> names;  // those of each shard
  std::vector<ConsumerRow> consumers;
  std::vector<SessionRow> sessions;
  std::vector<ExchangeRow> exchanges;  // by vhost and name
  std::vector<VhostSums> vhosts;       // by name; only those that have queues
  std::vector<ShardRow> shards;        // by number
  std::vector<Journey> journeys;       // in no order
};

// What a question hangs on: destroying it takes it back. Lifetime: ends before its BrokerClient.
class Observing {
 public:
  virtual ~Observing() = default;
};

// As AMQP brokers call a connection.
std::string connection_name(const runtime::PeerInfo& peer);

}  // namespace weir::node
