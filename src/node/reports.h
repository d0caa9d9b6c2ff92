// What it is: what the broker publishes of itself, as RabbitMQ does: events, to an exchange of one vhost, and copies of
// messages that come and go, to an exchange of each vhost that is traced. Where nobody has bound anything, nothing is made.
// They are at most once, and bounded.
// Shard: each of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/chunk.h"
#include "base/clock.h"
#include "base/rng.h"
#include "broker/definitions.h"
#include "broker/topology.h"
#include "node/outbox.h"
#include "node/stored_headers.h"

namespace weir::node {

class QueueHost;

// Events of one turn; beyond it they are counted as lost.
inline constexpr std::size_t events_per_turn_max = 16'384;

class Reports {
 public:
  struct Surroundings {
    ShardId self;
    const broker::Topology& topology;
    Outbox& outbox;
    QueueHost& host;
    Clock& clock;
    const HeadersOf& forms;
    const std::string& node_name;
    const std::string& event_vhost;  // empty: there are no events
  };
  explicit Reports(Surroundings surroundings) : at_(surroundings) {}

  // --- events: published at the end of the turn, in order ---

  bool wanted() {
    if (at_.event_vhost.empty() || at_.forms.make == nullptr) return false;
    if (version_ != at_.topology.version()) [[unlikely]]
      look_who_listens();
    return wanted_;
  }
  // Only when they are wanted. `key` is "queue.created".
  void add(std::string_view key, broker::Table facts);
  // What definitions become, before they do; `user`: who wants it, if it is known.
  void add(const broker::Change& change, const std::string& user);
  bool has_work() const { return !events_.empty(); }
  void publish_events();

  // --- traces: at once ---

  // Somebody listens to what is traced there.
  bool traces(std::string_view vhost) const;
  // `headers`: all that is known; a large body is left out; `body` lies in `chunk` (null: nowhere in particular).
  void trace(std::string_view vhost, const std::string& key, const broker::Table& headers,
             std::span<const Bytes> body, Chunk* chunk);
  const Surroundings& at() const { return at_; }

 private:
  struct Event {
    std::string key;
    broker::Table facts;
    std::uint64_t at_ms;
  };
  void look_who_listens();
  void add_cascade(const std::vector<broker::BindingDefinition>& gone, const std::string& user);
  void publish(std::string_view vhost, std::string_view exchange, std::string_view key,
               const broker::Table& headers, bool persistent, std::uint64_t timestamp_s,
               std::span<const Bytes> body, Chunk* chunk);

  Surroundings at_;
  std::uint64_t version_ = UINT64_MAX;  // of the topology when it was found out who listens
  bool wanted_ = false;
  std::vector<Event> events_;
  std::uint64_t lost_ = 0;
  Rng rng_{1};
  std::vector<broker::Target> targets_;  // scratch
};

}  // namespace weir::node
