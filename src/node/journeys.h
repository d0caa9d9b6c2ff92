// What it is: where messages of traced virtual hosts have been on this shard: when each came to a queue, who got it, and what
// became of it there. Of the last ones, in memory.
// Shard: that of the queues.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "broker/message.h"
#include "node/stored_headers.h"

namespace weir::node {

inline constexpr std::size_t journeys_max = 10'000;  // of a shard; the oldest are forgotten
inline constexpr std::size_t journey_steps_max =
    32;  // of one message; of more, the first and the last are kept
inline constexpr std::size_t journeys_found_max = 200;  // of a shard, the newest

struct JourneyStep {
  std::uint64_t at_ms = 0;  // wall clock
  std::string_view what;    // a constant: "queued", "delivered", "acknowledged", ...
  std::string consumer;     // its tag, where there is one
};

// Of one message in one queue.
struct Journey {
  std::string vhost, queue;
  QueueId queue_id;
  Seq seq;
  std::string exchange, routing_key, message_id, correlation_id, traceparent;
  std::uint64_t body_bytes = 0;
  bool persistent = false;
  std::vector<JourneyStep> steps;
};

// All that is not empty must fit.
struct JourneyQuery {
  std::string vhost, message_id, correlation_id;
  std::string traceparent;  // or a part of it: the trace's id
};

class Journeys {
 public:
  void use_headers(HeadersOf headers_of) { headers_of_ = headers_of; }
  void trace(const std::string& vhost, bool on);
  bool on() const { return !vhosts_.empty(); }

  // Only while it is on.
  void queued(const std::string& vhost, const std::string& name, QueueId queue, Seq seq,
              const broker::IncomingMessage& message, std::uint64_t now_ms);
  void step(QueueId queue, Seq seq, std::string_view what, std::uint64_t now_ms,
            std::string_view consumer = {});
  std::vector<Journey> find(const JourneyQuery& query) const;

 private:
  using Place = std::pair<QueueId, Seq>;

  HeadersOf headers_of_;
  std::set<std::string, std::less<>> vhosts_;
  std::deque<Journey> journeys_;
  std::uint64_t forgotten_ = 0;             // before the first of them
  std::map<Place, std::uint64_t> numbers_;  // which of them, counted from the beginning
};

}  // namespace weir::node
