#include "protocol/amqp091/delivery_properties.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "broker/death_history.h"
#include "broker/delay.h"
#include "broker/message_extras.h"
#include "protocol/amqp091/codec/content.h"
#include "protocol/amqp091/codec/field_table.h"
#include "protocol/amqp091/mapping.h"
#include "protocol/amqp091/properties_table.h"

namespace weir::amqp091 {

namespace {

using broker::Death;
using broker::DeathHistory;

constexpr std::string_view delivery_count = "x-delivery-count";
constexpr std::string_view stream_offset = "x-stream-offset";

void set_number(std::string_view header, std::int64_t number, FieldTable& headers) {
  std::erase_if(headers.entries, [&](const FieldEntry& entry) { return entry.name == header; });
  headers.add(header, number);
}

bool tells_of_death(std::string_view header) {
  return header == "x-death" || header.starts_with("x-first-death-") || header.starts_with("x-last-death-");
}

FieldTable table_of(const Death& death) {
  FieldTable table;
  if (death.ttl_ms) table.add("original-expiration", std::to_string(*death.ttl_ms));
  FieldArray keys;
  keys.values.emplace_back(death.routing_key);
  for (const std::string& key : death.more_keys) keys.values.emplace_back(key);
  return std::move(table)
      .add("count", static_cast<std::int64_t>(death.count))
      .add("reason", to_string(death.reason))
      .add("queue", death.queue)
      .add("time", Timestamp{death.time_ms / 1'000})
      .add("exchange", death.exchange)
      .add("routing-keys", std::move(keys));
}

void add_deaths(const DeathHistory& history, FieldTable& headers) {
  const bool rekeyed = history.rekeyed();
  std::erase_if(headers.entries, [&](const FieldEntry& entry) {
    return tells_of_death(entry.name) || (rekeyed && entry.name == "CC");
  });
  FieldArray deaths;
  for (const Death& death : history.deaths) deaths.values.emplace_back(table_of(death));
  headers.add("x-death", std::move(deaths));
  const auto first = std::ranges::find(history.deaths, true, &Death::first);
  if (first != history.deaths.end()) {
    headers.add("x-first-death-exchange", history.first_exchange);
    headers.add("x-first-death-queue", first->queue);
    headers.add("x-first-death-reason", to_string(first->reason));
  }
  const Death& last = history.deaths.front();
  headers.add("x-last-death-exchange", last.exchange);
  headers.add("x-last-death-queue", last.queue);
  headers.add("x-last-death-reason", to_string(last.reason));
}

// As RabbitMQ's plugin tells that a message has waited; whoever sends it on as it is does not let it wait again.
void negate_delay(FieldTable& headers) {
  const auto at = std::ranges::find(headers.entries, broker::delay_header, &FieldEntry::name);
  if (at == headers.entries.end()) return;
  FieldTable alone;
  alone.entries.push_back(*at);
  const std::vector<std::byte> wire = encode_table(alone);
  const broker::Table table = table_from_wire(TableBytes{wire});
  const auto delay = static_cast<std::int64_t>(broker::delay_ms(table));
  if (delay == 0) return;
  if (delay <= std::numeric_limits<std::int32_t>::max()) {
    at->value = FieldValue(static_cast<std::int32_t>(-delay));
  } else {
    at->value = FieldValue(-delay);
  }
}

}  // namespace

Bytes delivery_properties(const broker::StoredMessage& message, std::uint16_t returns,
                          std::optional<Seq> offset, const node::HeadersOf& forms,
                          std::vector<std::byte>& scratch) {
  std::vector<std::byte> converted;
  Bytes own = message.properties;
  if (message.native != broker::NativeForm::amqp091) [[unlikely]] {
    const broker::Table table = forms.properties_of(message);
    std::vector<std::byte> headers;
    append_properties(converted, properties_from(table, headers));
    scratch = converted;
    own = scratch;
  }
  if (returns == 0 && message.extras.empty() && !offset) [[likely]]
    return own;
  const broker::MessageExtras extras = broker::view_extras(message.extras);
  const Bytes deaths = extras.deaths;
  const bool waited = extras.deliver_ms != 0;
  if (returns == 0 && deaths.empty() && !waited && !offset) return own;
  if (!converted.empty()) own = converted;  // what follows is written to `scratch`
  Properties properties = properties_of(PropertiesView(own));
  FieldTable headers;
  if (properties.headers) {
    if (auto decoded = decode_table(properties.headers->content)) headers = std::move(*decoded);
  }
  if (!deaths.empty()) {
    if (const Result<DeathHistory> history = broker::decode_deaths(deaths)) add_deaths(*history, headers);
    properties.expiration.reset();  // it died; x-death tells what it was
  }
  if (returns > 0) set_number(delivery_count, returns, headers);
  if (offset) set_number(stream_offset, static_cast<std::int64_t>(offset->value), headers);
  if (waited) negate_delay(headers);
  const std::vector<std::byte> table = encode_table(headers);
  properties.headers = TableBytes{table};
  scratch.clear();
  append_properties(scratch, properties);
  return scratch;
}

broker::Table headers_of(Bytes properties) {
  MessageHeaders headers(properties);
  return headers.headers();
}

std::optional<std::string> property_of(Bytes properties, std::string_view name) {
  return property_text(PropertiesView(properties), name);
}

std::vector<std::byte> own_properties(const broker::Table& headers, bool persistent,
                                      std::uint64_t timestamp_s) {
  Properties properties;
  const std::vector<std::byte> table = encode_table(table_to_wire(headers));
  properties.headers = TableBytes{table};
  if (persistent) properties.delivery_mode = delivery_mode_persistent;
  if (timestamp_s != 0) properties.timestamp_s = timestamp_s;
  std::vector<std::byte> raw;
  append_properties(raw, properties);
  return raw;
}

}  // namespace weir::amqp091
