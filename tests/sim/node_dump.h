// What it is: all that a node holds, read out of it: every message of every queue, in order, and the definitions. And
// how a message of the simulation is made, so that one can be told from its bytes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/ids.h"
#include "broker/message.h"
#include "support/sim_node.h"

namespace weir::sim {

using AttemptId = std::uint64_t;  // counts from 0

// The body of an attempt: its number, and bytes that only it has.
std::vector<std::byte> body_of(AttemptId attempt, std::size_t bytes);
inline constexpr std::size_t body_bytes_min = 8;
// Whose message it is. Errors: the bytes are no attempt's.
Result<AttemptId> recognise(const broker::StoredMessage& message);

struct MessageDump {
  Seq seq;
  AttemptId attempt = 0;
  bool redelivered = false;
  bool operator==(const MessageDump&) const = default;
};

struct QueueDump {
  std::vector<MessageDump> messages;
  std::uint64_t ready = 0, out = 0;
  bool operator==(const QueueDump&) const = default;
};

struct NodeDump {
  std::map<QueueId, QueueDump> queues;
  std::vector<std::byte> definitions;  // the durable ones
  std::string problem;                 // why it could not be read; empty: it could
  bool operator==(const NodeDump&) const = default;
};

// Reads every message, from the disk where it is not in memory; only for a node at rest without transient messages.
NodeDump dump_node(node::SimNode& node);
// Judges that the counts of each queue are what a walk over it says; what is wrong, or empty.
std::string check_counts(node::SimNode& node);

}  // namespace weir::sim
