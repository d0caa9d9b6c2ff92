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
#include "protocol/amqp091/properties_table.h"
#include "protocol/amqp091/routing_headers.h"

namespace weir::amqp091 {
namespace {

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
  std::optional<Error> fault;
  Properties properties = properties_from(message.properties, table, &fault);
  if (fault) return std::unexpected(std::move(*fault));
  WEIR_TRY(check_properties(properties, session.info().user, extras));
  RoutingHeaders routing;
  if (properties.headers) {
    const std::string wrong = read_routing_headers(*properties.headers, routing);
    if (!wrong.empty()) return fail(ErrorCode::precondition_failed, wrong);
    if (routing.blind) {
      open_table = without_blind_keys(*properties.headers);
      properties.headers = TableBytes{open_table};
    }
  }
  append_properties(raw, properties);
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
                                      .persistent = properties.delivery_mode == delivery_mode_persistent,
                                      .priority = properties.priority.value_or(0),
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

}  // namespace

PlainMessages plain_messages(node::HeadersOf forms) {
  return {publish, [forms](const node::Delivery& delivery) {
            std::vector<std::byte> scratch;
            return properties_table(
                delivery_properties(delivery.message, delivery.returns, std::nullopt, forms, scratch));
          }};
}

}  // namespace weir::amqp091
