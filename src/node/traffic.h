// What it is: what a shard counts of what goes through it, for those who watch the node. Plain integers, counted where the
// work is done and added up over the shards by who asks (node/observe.h).
// Shard: its own.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <utility>

#include "base/counters.h"
#include "base/log_histogram.h"
#include "broker/queue_options.h"
#include "broker/queue_use.h"
#include "node/protocols.h"

namespace weir::node {

// Of the sessions of one protocol, since the start.
enum class SessionCount : std::uint8_t {
  received,  // messages
  received_confirm,
  confirmed,
  routed,
  unroutable_dropped,
  unroutable_returned,
  connections_opened,
  connections_closed,
  channels_opened,
  channels_closed,
  logins,
  logins_refused,
  count,
};

inline constexpr std::size_t queue_kind_count = static_cast<std::size_t>(broker::QueueKind::count);

struct Traffic {
  struct OfProtocol {
    Counters<SessionCount> sessions;
    std::array<Counters<broker::QueueCount>, queue_kind_count> deliveries;  // by the kind of queue
    // By the protocol's own code, and whether the connection ended by it.
    std::map<std::pair<std::uint32_t, bool>, std::uint64_t> errors;

    OfProtocol& operator+=(const OfProtocol& other) {
      sessions += other.sessions;
      for (std::size_t i = 0; i < queue_kind_count; ++i) deliveries[i] += other.deliveries[i];
      for (const auto& [code, times] : other.errors) errors[code] += times;
      return *this;
    }
  };
  std::array<OfProtocol, protocol_count> by_protocol;
  std::uint64_t queues_declared = 0, queues_created = 0, queues_deleted = 0;
  LogHistogram confirm_us;  // from publishing to the confirm: of one message of a publisher at a time
  LogHistogram deliver_ms;  // from receiving to delivering: of one message of a queue in each turn

  OfProtocol& of(Protocol protocol) { return by_protocol[static_cast<std::size_t>(protocol)]; }
  const OfProtocol& of(Protocol protocol) const { return by_protocol[static_cast<std::size_t>(protocol)]; }
  Traffic& operator+=(const Traffic& other) {
    for (std::size_t i = 0; i < protocol_count; ++i) by_protocol[i] += other.by_protocol[i];
    queues_declared += other.queues_declared;
    queues_created += other.queues_created;
    queues_deleted += other.queues_deleted;
    confirm_us += other.confirm_us;
    deliver_ms += other.deliver_ms;
    return *this;
  }
};

}  // namespace weir::node
