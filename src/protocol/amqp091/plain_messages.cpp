#include "protocol/amqp091/plain_messages.h"

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "base/limits.h"
#include "broker/message_extras.h"
#include "protocol/amqp091/codec/content.h"
#include "protocol/amqp091/codec/field_table.h"
#include "protocol/amqp091/delivery_properties.h"
#include "protocol/amqp091/mapping.h"
#include "protocol/amqp091/routing_headers.h"

namespace weir::amqp091 {
namespace {

std::unexpected<Error> invalid(std::string_view what, std::string_view name) {
  return fail(ErrorCode::invalid_argument, fmt::format("{}: {}", what, name));
}

template <typename Number>
Status read_number(const broker::Table& from, std::string_view name, std::optional<Number>& to) {
  const broker::Value* const value = from.find(name);
  if (value == nullptr) return {};
  std::int64_t number = 0;
  if (!value->as_integer(number)) return invalid("not_int", name);
  if (number < 0 || (sizeof(Number) == 1 && number > std::numeric_limits<std::uint8_t>::max()))
    return invalid("out_of_range", name);
  to = static_cast<Number>(number);
  return {};
}

// The properties view the table and `headers`.
Result<Properties> read_properties(const broker::Table& from, std::vector<std::byte>& headers) {
  Properties properties;
  for (const auto& [name, member] : text_properties) {
    const broker::Value* const value = from.find(name);
    if (value == nullptr) continue;
    if (value->as_string() == nullptr) return invalid("not_a_string", name);
    if (value->as_string()->size() > limits::name_bytes_max) return invalid("too_long", name);
    properties.*member = *value->as_string();
  }
  WEIR_TRY(read_number(from, "delivery_mode", properties.delivery_mode));
  WEIR_TRY(read_number(from, "priority", properties.priority));
  WEIR_TRY(read_number(from, "timestamp", properties.timestamp_s));
  if (const broker::Value* const value = from.find("headers")) {
    const auto* const table = std::get_if<broker::Table>(&value->v);
    if (table == nullptr) return invalid("not_a_table", "headers");
    headers = encode_table(table_to_wire(*table));
    properties.headers = TableBytes{headers};
  }
  return properties;
}

Status check_properties(const Properties& properties, const std::string& user,
                        std::vector<std::byte>& extras) {
  if (properties.user_id && *properties.user_id != user) {
    return fail(ErrorCode::precondition_failed,
                fmt::format("user_id property set to '{}' but authenticated user was '{}'",
                            *properties.user_id, user));
  }
  if (!properties.expiration) return {};
  if (const std::string fault = expiration_fault(*properties.expiration); !fault.empty()) {
    return fail(ErrorCode::precondition_failed,
                fmt::format("invalid expiration '{}': {}", *properties.expiration, fault));
  }
  broker::MessageExtras wanted;
  wanted.ttl_ms = expiration_ms(*properties.expiration);
  broker::append_extras(extras, wanted);
  return {};
}

Result<node::PublishResult> publish(node::Session& session, const PlainMessage& message,
                                    node::PublisherNumber publisher, std::uint64_t seq) {
  std::vector<std::byte> table, extras, raw, open_table;
  Result<Properties> properties = read_properties(message.properties, table);
  if (!properties) return std::unexpected(properties.error());
  WEIR_TRY(check_properties(*properties, session.info().user, extras));
  RoutingHeaders routing;
  if (properties->headers) {
    const std::string fault = read_routing_headers(*properties->headers, routing);
    if (!fault.empty()) return fail(ErrorCode::precondition_failed, fault);
    if (routing.blind) {
      open_table = without_blind_keys(*properties->headers);
      properties->headers = TableBytes{open_table};
    }
  }
  append_properties(raw, *properties);
  if (raw.size() > limits::native_properties_bytes_max) {
    return fail(ErrorCode::precondition_failed,
                fmt::format("message properties of {} bytes are larger than {}", raw.size(),
                            limits::native_properties_bytes_max));
  }
  const ChunkRef chunk = ChunkRef::adopt(Chunk::make(message.body.size()));
  std::memcpy(chunk->data(), message.body.data(), message.body.size());
  const Bytes body(chunk->data(), message.body.size());
  MessageHeaders headers(raw);
  return session.publish({.publisher = publisher,
                          .seq = seq,
                          .message = {.native = broker::NativeForm::amqp091,
                                      .persistent = properties->delivery_mode == delivery_mode_persistent,
                                      .priority = properties->priority.value_or(0),
                                      .exchange = message.exchange,
                                      .routing_key = message.routing_key,
                                      .extras = extras,
                                      .properties = raw,
                                      .body = {&body, 1},
                                      .body_bytes = body.size()},
                          .chunk = chunk.get(),
                          .headers = &headers,
                          .more_keys = routing.keys});
}

broker::Table properties_of_delivery(const node::Delivery& delivery) {
  std::vector<std::byte> scratch;
  return table_of_properties(properties_of(
      PropertiesView(delivery_properties(delivery.message, delivery.returns, std::nullopt, scratch))));
}

}  // namespace

PlainMessages plain_messages() { return {publish, properties_of_delivery}; }

}  // namespace weir::amqp091
