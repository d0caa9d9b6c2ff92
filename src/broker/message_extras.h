// What it is: what a message carries for the queues that it comes to, beyond its properties: a time to live, a delay, its
// group, its id, where a dead letter comes from and what became of it before. Most messages carry nothing: no bytes.
//
//  u8 fields: bit 0 ttl, 1 deliver, 2 group, 3 origin, 4 deaths, 5 pieces, 6 id, 7 keys; then those that are there (little
//  endian), in this order: u32 ttl ms; u64 deliver, Unix ms; u64 group; u32 queue and u64 seq of the origin; u64 low and
//  u64 high of the id; u64 last piece and u32 bytes of the pieces; u8 blind keys and as many texts (u8 bytes, then they);
//  deaths to the end (broker/death_history.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/ids.h"
#include "broker/dedup_id.h"

namespace weir::broker {

// The message of which this one is the dead letter, where the broker must know that it was taken.
struct LetterOrigin {
  QueueId queue;
  Seq seq;
  auto operator<=>(const LetterOrigin&) const = default;
};

// What is before this record of the body that it belongs to: so many bytes, in pieces that are messages of bodies_queue.
// Each of them but the first says the same of those before it.
struct BodyPieces {
  Seq last;
  std::uint32_t bytes = 0;
  bool operator==(const BodyPieces&) const = default;
};

struct MessageExtras {
  std::optional<std::uint32_t> ttl_ms{};  // from when it comes to a queue
  std::uint64_t deliver_ms = 0;           // Unix; 0: at once
  std::uint64_t group = 0;                // a hash; 0: none
  std::optional<LetterOrigin> origin{};
  std::optional<DedupId> id{};  // for a queue that drops what it has seen
  std::optional<BodyPieces> pieces{};
  Bytes blind_keys{};  // routing keys that receivers do not see, encoded; a view
  Bytes deaths{};      // a view
};

// Of keys that are beyond blind_keys_bytes_max together, or too long for a binding, nothing is kept.
std::vector<std::byte> encode_blind_keys(std::span<const std::string_view> keys);
// Of bytes that came with extras; views into them.
std::vector<std::string_view> blind_keys_of(Bytes encoded);
inline constexpr std::size_t blind_keys_bytes_max = 8U << 10;

void append_extras(std::vector<std::byte>& out, const MessageExtras& extras);
// corrupt: not the one form that append_extras gives.
Result<MessageExtras> decode_extras(Bytes from);
// Of bytes that decode_extras accepted, or none.
MessageExtras view_extras(Bytes from);

inline constexpr std::size_t extras_bytes_max = UINT16_MAX;

}  // namespace weir::broker
