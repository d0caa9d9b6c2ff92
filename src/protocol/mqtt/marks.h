// What it is: marks by which QoS 2 is exactly once also over a crash. A session that lasts has a small durable queue on every
// shard; a mark there is written in one with what it says, on the same shard:
//   received: a PUBLISH from the client, with the message; it is taken away at PUBREL. What comes again with its identifier goes
//             only to shards that have no mark of it.
//   released: a PUBREC from the client, with the end of the message in the session's queue; taken away at PUBCOMP.
//
//  The body of a mark: u8 kind   1 u16 packet identifier (little endian).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "node/session.h"

namespace weir::mqtt {

enum class MarkKind : std::uint8_t { received = 1, released = 2 };

struct Mark {
  MarkKind kind = MarkKind::received;
  std::uint16_t packet_id = 0;
};
inline constexpr std::size_t mark_bytes = 3;
std::array<std::byte, mark_bytes> encode_mark(const Mark& mark);
std::optional<Mark> decode_mark(Bytes body);

// The queue of a client's marks on a shard.
std::string mark_queue(std::string_view vhost, std::string_view client_id, ShardId shard,
                       std::uint16_t shards);

// Where a mark lies.
struct MarkPlace {
  ShardId shard;
  node::ConsumerNumber consumer = node::no_consumer;
  QueueId queue;
  Seq seq;
};

// A packet identifier by which a PUBLISH of QoS 2 has come, and no PUBREL has ended it.
struct Received {
  enum class State : std::uint8_t {
    found,     // after a restart: by its marks; whether all of it was published is not known
    writing,   // PUBREC goes out when it is durable
    recorded,  // PUBREC has gone out
    ending,    // PUBREL has come; PUBCOMP goes out when that is durable
  };
  State state = State::writing;
  bool release_asked = false;       // PUBREL has come before all its marks were seen
  std::uint16_t marks_to_come = 0;  // written, not seen yet
  std::vector<MarkPlace> marks;
};

}  // namespace weir::mqtt
