// What it is: what a message that was dead-lettered went through: from which queues it was thrown out, why and how often.
// Neutral of protocol; the front-ends tell it in their own words (AMQP: the header x-death).
//
//  u8 entries; text first exchange; then the entries, the newest first:
//  u8 reason   u8 flags: 1 it was the message's first death, 2 it had a time to live, 4 it had further routing keys,
//  8 it went on by a routing key of its queue's   u32 time to live, ms   u64 count   u64 first time, Unix ms
//  texts: queue, exchange, routing key                                              (a text: u8 bytes, then they)
//  [4: u8 keys, and as many texts]
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "broker/attributes.h"

namespace weir::broker {

std::string_view to_string(DeathReason reason);

struct Death {
  DeathReason reason{};
  bool first = false;
  std::optional<std::uint32_t> ttl_ms;  // that the message had of its own
  std::uint64_t count = 0;
  std::uint64_t time_ms = 0;  // of the first of them
  std::string queue, exchange, routing_key;
  std::vector<std::string> more_keys = {};  // beside it, that receivers may see; at most death_keys_max
  bool rekeyed = false;                     // from then on, further routing keys of the message count no more
  bool operator==(const Death&) const = default;
};

struct DeathHistory {
  std::string first_exchange;
  std::vector<Death> deaths;  // by queue and reason, the newest first
  bool operator==(const DeathHistory&) const = default;

  // Where it is sent again to a queue that it was thrown out of, without a consumer that rejected it since: for ever.
  bool is_cycle(std::string_view to_queue) const;
  bool rekeyed() const;
  // Adds one more death; the oldest are forgotten beyond deaths_max, or where they take more than deaths_bytes_max.
  void record(Death death);
};
inline constexpr std::size_t deaths_max = 64, death_keys_max = UINT8_MAX;
inline constexpr std::size_t deaths_bytes_max = 48U << 10;  // encoded

std::vector<std::byte> encode_deaths(const DeathHistory& history);
// corrupt.
Result<DeathHistory> decode_deaths(Bytes from);

}  // namespace weir::broker
