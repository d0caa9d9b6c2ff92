// What it is: what a queue knows of one message beyond where it is: when it expires, when it may be delivered, how urgent
// it is, how often it came back. Most messages have none of it. And its encoding, for checkpoints.
//
//  u8 fields: bit 0 expires, 1 deliver, 2 group, 3 body bytes, 4 returns, 5 priority, 6 leaving, 7 pieces;
//  then those that are there, in this order (little endian): 5 bytes expires, 5 bytes deliver (both compact times), u64,
//  u32, u16, u8, u8, u64.
//  A message without attributes is no bytes at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace weir::broker {

// Why a message left its queue without having been accepted. Values are on disk: never renumber. `due` is no death: it
// waited at a delayed exchange, and its time has come.
enum class DeathReason : std::uint8_t { rejected = 1, expired = 2, maxlen = 3, delivery_limit = 4, due = 5 };
inline constexpr std::uint8_t death_reason_last = 5;

struct MessageAttributes {
  std::uint64_t expires_ms = 0;  // Unix; 0: never
  std::uint64_t deliver_ms = 0;  // Unix; invisible before; 0: at once
  std::uint64_t group = 0;       // the hash of its group; 0: none
  std::uint64_t pieces_end = 0;  // one past the last piece of its body in bodies_queue; 0: it has none
  std::uint32_t body_bytes = 0;  // only where its queue is limited by bytes
  std::uint16_t returns = 0;     // how often it came back, where its queue counts that
  std::uint8_t priority = 0;
  std::uint8_t leaving = 0;  // a DeathReason: it is on its way to a dead-letter exchange; 0: it is not

  bool none() const { return *this == MessageAttributes(); }
  bool operator==(const MessageAttributes&) const = default;
};

// Unix milliseconds in 40 bits: 0 is none; from 2020 to 2054, and what lies beyond becomes the nearest of them.
inline constexpr std::uint64_t compact_epoch_ms = 1'577'836'800'000;
inline constexpr std::uint64_t compact_time_max = (std::uint64_t{1} << 40) - 1;
constexpr std::uint64_t compact_time(std::uint64_t unix_ms) {
  if (unix_ms == 0) return 0;
  if (unix_ms <= compact_epoch_ms) return 1;
  const std::uint64_t since = unix_ms - compact_epoch_ms;
  return since < compact_time_max ? since : compact_time_max;
}
constexpr std::uint64_t expand_time(std::uint64_t compact) {
  return compact == 0 ? 0 : compact + compact_epoch_ms;
}

inline constexpr std::size_t attributes_bytes_max = 35;

// Appends nothing for a message without attributes.
void encode_attributes(const MessageAttributes& attributes, std::vector<std::byte>& out);
// All of `from`. corrupt: it is not in this form, or not the one form that encode_attributes gives.
Result<MessageAttributes> decode_attributes(Bytes from);

}  // namespace weir::broker
