// What it is: ids and positions as types that can't be mixed up.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace weir {

template <typename Tag, typename Rep>
struct StrongId {
  Rep value{};
  constexpr auto operator<=>(const StrongId&) const = default;
};

using ShardId = StrongId<struct ShardTag, std::uint16_t>;
using VhostId = StrongId<struct VhostTag, std::uint32_t>;
using ExchangeId = StrongId<struct ExchangeTag, std::uint32_t>;
// Unique in the node and never reused: a record that names an id that the definitions don't hold is of a deleted queue.
using QueueId = StrongId<struct QueueTag, std::uint32_t>;
// Of each shard's hidden queue of the pieces of large bodies (node/bodies.h); never in the definitions.
inline constexpr QueueId bodies_queue{UINT32_MAX};
// Of a session (a connection), unique in the node for its life.
using SessionId = StrongId<struct SessionTag, std::uint64_t>;
// Position of a message in its queue; ascending, never reused.
using Seq = StrongId<struct SeqTag, std::uint64_t>;
// Logical byte position in a shard's journal.
using Lsn = StrongId<struct LsnTag, std::uint64_t>;

}  // namespace weir

template <typename Tag, typename Rep>
struct std::hash<weir::StrongId<Tag, Rep>> {
  std::size_t operator()(const weir::StrongId<Tag, Rep>& id) const noexcept {
    // Fibonacci spreading: ids are dense, and unordered_map takes the low bits.
    return static_cast<std::size_t>(static_cast<std::uint64_t>(id.value) * 0x9e3779b97f4a7c15ULL >> 7);
  }
};
