#include "broker/message.h"

#include <cstring>

#include "base/assert.h"
#include "base/limits.h"
#include "broker/message_extras.h"

namespace weir::broker {

namespace {

constexpr std::uint8_t flag_persistent = 1;
constexpr std::uint8_t native_form_last = static_cast<std::uint8_t>(NativeForm::amqp10);

std::byte* put(std::byte* to, Bytes bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

}  // namespace

std::size_t envelope_bytes(const IncomingMessage& message) {
  return envelope_header_bytes + message.exchange.size() + message.routing_key.size() +
         message.extras.size() + message.properties.size() + message.body_bytes;
}

void encode_envelope(const IncomingMessage& message, std::uint64_t received_ms, std::byte* to) {
  WEIR_ASSERT(message.exchange.size() <= limits::name_bytes_max);
  WEIR_ASSERT(message.routing_key.size() <= limits::name_bytes_max);
  WEIR_ASSERT(message.extras.size() <= extras_bytes_max);
  WEIR_ASSERT(message.properties.size() <= limits::native_properties_bytes_max);
  WEIR_ASSERT(message.body_bytes <= limits::message_bytes_max);
  to[0] = static_cast<std::byte>(message.native);
  to[1] = static_cast<std::byte>(message.persistent ? flag_persistent : 0);
  to[2] = static_cast<std::byte>(message.priority);
  to[3] = static_cast<std::byte>(message.exchange.size());
  to[4] = static_cast<std::byte>(message.routing_key.size());
  to[5] = std::byte{0};
  store_le(to + 6, static_cast<std::uint16_t>(message.extras.size()));
  store_le(to + 8, static_cast<std::uint32_t>(message.properties.size()));
  store_le(to + 12, static_cast<std::uint32_t>(message.body_bytes));
  store_le(to + envelope_received_at, received_ms);
  std::byte* at = to + envelope_header_bytes;
  at = put(at, as_bytes(message.exchange));
  at = put(at, as_bytes(message.routing_key));
  at = put(at, message.extras);
  at = put(at, message.properties);
  for (const Bytes piece : message.body) at = put(at, piece);
  WEIR_ASSERT(at == to + envelope_bytes(message));
}

StoredMessage view_envelope(const std::byte* from) {
  const auto exchange_bytes = static_cast<std::size_t>(from[3]);
  const auto key_bytes = static_cast<std::size_t>(from[4]);
  const std::size_t extras_bytes = load_le<std::uint16_t>(from + 6);
  const std::size_t properties_bytes = load_le<std::uint32_t>(from + 8);
  const std::size_t body_bytes = load_le<std::uint32_t>(from + 12);
  StoredMessage message;
  message.native = static_cast<NativeForm>(from[0]);
  message.persistent = (static_cast<std::uint8_t>(from[1]) & flag_persistent) != 0;
  message.priority = static_cast<std::uint8_t>(from[2]);
  message.received_ms = broker::received_ms(from);
  const std::byte* at = from + envelope_header_bytes;
  message.exchange = as_text({at, exchange_bytes});
  at += exchange_bytes;
  message.routing_key = as_text({at, key_bytes});
  at += key_bytes;
  message.extras = {at, extras_bytes};
  at += extras_bytes;
  message.properties = {at, properties_bytes};
  message.body = {at + properties_bytes, body_bytes};
  return message;
}

Result<StoredMessage> decode_envelope(Bytes from) {
  if (from.size() < envelope_header_bytes) return fail(ErrorCode::corrupt, "envelope: cut off in its header");
  if (static_cast<std::uint8_t>(from[0]) > native_form_last) {
    return fail(ErrorCode::corrupt, "envelope: unknown native form");
  }
  if ((static_cast<std::uint8_t>(from[1]) & ~flag_persistent) != 0 || from[5] != std::byte{0}) {
    return fail(ErrorCode::corrupt, "envelope: a reserved bit is set");
  }
  // Five lengths of at most 32 bits: their sum can't overflow.
  const std::uint64_t expected =
      envelope_header_bytes + static_cast<std::uint64_t>(from[3]) + static_cast<std::uint64_t>(from[4]) +
      load_le<std::uint16_t>(from.data() + 6) + load_le<std::uint32_t>(from.data() + 8) +
      load_le<std::uint32_t>(from.data() + 12);
  if (expected != from.size()) return fail(ErrorCode::corrupt, "envelope: the lengths don't add up");
  const StoredMessage message = view_envelope(from.data());
  if (const Result<MessageExtras> extras = decode_extras(message.extras); !extras) {
    return std::unexpected(extras.error());
  }
  return message;
}

}  // namespace weir::broker
