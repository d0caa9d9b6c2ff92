// What it is: a message as plain views, neutral of protocol, and its form on disk and between shards (the envelope).
// The properties stay in the form of the protocol that the message came by: bit for bit the same when it leaves by it.
//
//  Envelope (little endian), the payload of an enqueue record:
//   0 u8 native form   1 u8 flags (bit 0 persistent)   2 u8 priority   3 u8 exchange bytes
//   4 u8 routing key bytes   5 zero   6 u16 extras bytes   8 u32 properties bytes   12 u32 body bytes
//  16 u64 received, Unix ms
//  24 exchange, routing key, extras (broker/message_extras.h), properties, body
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace weir::broker {

// Whose property encoding `properties` is. Values are on disk: never renumber.
enum class NativeForm : std::uint8_t {
  none = 0,
  amqp091 = 1,
  mqtt = 2,
  stomp = 3,
  kafka = 4,
  sqs = 5,
  amqp10 = 6
};

inline constexpr std::size_t envelope_header_bytes = 24;

// A message on its way in. Everything is a view that lives during the call.
struct IncomingMessage {
  NativeForm native = NativeForm::none;
  bool persistent = false;
  std::uint8_t priority = 0;
  std::string_view exchange;
  std::string_view routing_key;
  Bytes extras{};  // valid; at most extras_bytes_max
  Bytes properties;
  std::span<const Bytes> body;  // pieces, in order
  std::size_t body_bytes = 0;   // their sum
};

// A message as stored.
struct StoredMessage {
  NativeForm native = NativeForm::none;
  bool persistent = false;
  std::uint8_t priority = 0;
  std::string_view exchange;
  std::string_view routing_key;
  Bytes extras{};  // valid; at most extras_bytes_max
  Bytes properties;
  Bytes body;
  std::uint64_t received_ms = 0;
};

std::size_t envelope_bytes(const IncomingMessage& message);
// `to` has envelope_bytes(message) bytes.
void encode_envelope(const IncomingMessage& message, std::uint64_t received_ms, std::byte* to);
inline constexpr std::size_t envelope_received_at = 16;
inline std::uint64_t received_ms(const std::byte* envelope) {
  return load_le<std::uint64_t>(envelope + envelope_received_at);
}
// corrupt: the lengths don't add up.
Result<StoredMessage> decode_envelope(Bytes from);
// The same without checks, for an envelope that a checksum covers or that we just wrote.
StoredMessage view_envelope(const std::byte* from);

}  // namespace weir::broker
