// What it is: what the load generator writes at the front of each body, to recognize the message when it comes back.
//
//   0                            8               16             24
//   +----------------------------+---------------+--------------+---------
//   | lane (20 bits) seq (44)    | send time, ns | run          | filler …
//   +----------------------------+---------------+--------------+---------
//      u64                          u64             u64            (network order)
//
// A lane is one producer's sequence to one queue (or to all queues, when each gets every message). A body that is
// shorter holds as many whole fields as fit; one under 8 bytes holds the low bytes of the sequence alone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace weir::cli {

inline constexpr unsigned stamp_seq_bits = 44;
inline constexpr std::uint64_t stamp_seq_mask = (std::uint64_t{1} << stamp_seq_bits) - 1;
inline constexpr std::size_t lanes_max = std::size_t{1} << (64 - stamp_seq_bits);
inline constexpr std::size_t stamp_bytes = 24;
inline constexpr std::size_t stamp_with_time_bytes = 16;
inline constexpr std::size_t stamp_with_lane_bytes = 8;

struct MessageStamp {
  std::uint32_t lane = 0;
  std::uint64_t seq = 0;
  std::uint64_t sent_ns = 0;
  std::uint64_t run = 0;
};

// Writes what fits into the first `body_bytes` at `to`.
inline void write_stamp(std::byte* to, std::size_t body_bytes, const MessageStamp& stamp) {
  if (body_bytes < stamp_with_lane_bytes) {
    for (std::size_t i = body_bytes; i > 0; --i) {
      to[i - 1] = static_cast<std::byte>(stamp.seq >> (8 * (body_bytes - i)));
    }
    return;
  }
  store_be(to, std::uint64_t{stamp.lane} << stamp_seq_bits | stamp.seq);
  if (body_bytes >= stamp_with_time_bytes) store_be(to + 8, stamp.sent_ns);
  if (body_bytes >= stamp_bytes) store_be(to + 16, stamp.run);
}

// `expected_seq` completes a sequence of which only the low bytes were sent: the nearest one that agrees with them.
inline MessageStamp read_stamp(const std::byte* from, std::size_t body_bytes, std::uint64_t expected_seq) {
  MessageStamp stamp;
  if (body_bytes < stamp_with_lane_bytes) {
    if (body_bytes == 0) return {.seq = expected_seq};
    std::uint64_t low = 0;
    for (std::size_t i = 0; i < body_bytes; ++i) low = low << 8 | static_cast<std::uint64_t>(from[i]);
    const std::uint64_t modulus = std::uint64_t{1} << (8 * body_bytes);
    const std::uint64_t ahead = (low - expected_seq) & (modulus - 1);
    const bool behind = ahead >= modulus / 2 && expected_seq >= modulus - ahead;
    stamp.seq = behind ? expected_seq - (modulus - ahead) : expected_seq + ahead;
    return stamp;
  }
  const auto tag = load_be<std::uint64_t>(from);
  stamp.lane = static_cast<std::uint32_t>(tag >> stamp_seq_bits);
  stamp.seq = tag & stamp_seq_mask;
  if (body_bytes >= stamp_with_time_bytes) stamp.sent_ns = load_be<std::uint64_t>(from + 8);
  if (body_bytes >= stamp_bytes) stamp.run = load_be<std::uint64_t>(from + 16);
  return stamp;
}

}  // namespace weir::cli
