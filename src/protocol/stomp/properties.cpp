#include "protocol/stomp/properties.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "base/utf8.h"
#include "broker/death_history.h"
#include "broker/message_extras.h"
#include "protocol/stomp/codec/escape.h"
#include "protocol/stomp/codec/stored_headers.h"
#include "protocol/stomp/destination.h"

namespace weir::stomp {

namespace {

enum class Type : std::uint8_t { text, number, persistent };

struct Property {
  std::string_view header, name;
  Type type = Type::text;
};
constexpr std::array properties = std::to_array<Property>({
    {"content-type", "content_type"},
    {"content-encoding", "content_encoding"},
    {"correlation-id", "correlation_id"},
    {"reply-to", "reply_to"},
    {"expiration", "expiration"},
    {"amqp-message-id", "message_id"},
    {"type", "type"},
    {"user-id", "user_id"},
    {"app-id", "app_id"},
    {"cluster-id", "cluster_id"},
    {"priority", "priority", Type::number},
    {"timestamp", "timestamp", Type::number},
    {"persistent", "delivery_mode", Type::persistent},
});

const Property* find_by_header(std::string_view header) {
  const auto* const at = std::find_if(properties.begin(), properties.end(),
                                      [&](const Property& one) { return one.header == header; });
  return at == properties.end() ? nullptr : at;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, wrong] = std::from_chars(text.data(), end, number);
  if (wrong != std::errc() || at != end || text.empty()) return std::nullopt;
  return number;
}

// A frame's headers are text, and end where a NUL is.
bool may_be_sent(std::string_view text) {
  return valid_utf8(text) && text.find('\0') == std::string_view::npos;
}

// Where a sender of another protocol wants replies by topic, as a destination.
std::string sent_text(const Property& property, const broker::Value& value, const broker::Table& table) {
  const broker::Value* const topic = property.name == "reply_to" ? table.find("reply_topic") : nullptr;
  if (topic == nullptr || topic->as_string() == nullptr) return broker::to_text(value);
  std::string destination;
  append_destination(destination, topic_exchange, *topic->as_string());
  return destination;
}

bool is_scalar(const broker::Value& value) {
  return !std::holds_alternative<broker::Table>(value.v) && !std::holds_alternative<broker::Array>(value.v) &&
         !std::holds_alternative<std::monostate>(value.v);
}

}  // namespace

Result<SendProperties> read_send_properties(const Headers& headers, std::string_view user) {
  SendProperties out;
  for (const Header& header : headers.all()) {
    if (header.name == "persistent") {
      out.persistent = header.value == "true";
    } else if (header.name == "priority") {
      const auto number = number_of(header.value);
      if (!number || *number > std::numeric_limits<std::uint8_t>::max())
        return fail(ErrorCode::invalid_argument, "'priority' is not a number from 0 to 255");
      out.priority = static_cast<std::uint8_t>(*number);
    } else if (header.name == "expiration") {
      const auto number = number_of(header.value);
      if (!number || *number > std::numeric_limits<std::uint32_t>::max())
        return fail(ErrorCode::precondition_failed,
                    fmt::format("invalid expiration '{}': not milliseconds", header.value));
      out.ttl_ms = static_cast<std::uint32_t>(*number);
    } else if (header.name == "user-id" && headers.plain(header.value) != user) {
      return fail(
          ErrorCode::precondition_failed,
          fmt::format("user_id property set to '{}' but authenticated user was '{}'", header.value, user));
    }
  }
  return out;
}

broker::Table properties_table(Bytes stored) {
  broker::Table out, headers;
  for_each_stored(as_text(stored), [&](std::string_view name, std::string_view value) {
    const Property* const property = find_by_header(name);
    if (property == nullptr) {
      if (headers.find(name) == nullptr) headers.append(std::string(name), {std::string(value)});
      return;
    }
    if (out.find(property->name) != nullptr) return;
    switch (property->type) {
      case Type::text: out.append(std::string(property->name), {std::string(value)}); return;
      case Type::number:
        if (const auto number = number_of(value))
          out.append(std::string(property->name), {static_cast<std::int64_t>(*number)});
        return;
      case Type::persistent:
        out.append(std::string(property->name), {std::int64_t{value == "true" ? 2 : 1}});
        return;
    }
  });
  if (const broker::Value* const reply_to = out.find("reply_to")) {
    if (const auto to = parse_destination(*reply_to->as_string()); to && to->kind == Destination::Kind::topic)
      out.append("reply_topic", {to->key});
  }
  if (!headers.empty()) out.append("headers", {std::move(headers)});
  return out;
}

broker::Table headers_of(Bytes stored) {
  const broker::Table table = properties_table(stored);
  const broker::Value* const headers = table.find("headers");
  return headers == nullptr ? broker::Table() : std::get<broker::Table>(headers->v);
}

std::optional<std::string> property_of(Bytes stored, std::string_view name) {
  for (const Property& property : properties) {
    if (property.name == name) return find_stored(as_text(stored), property.header);
  }
  return std::nullopt;
}

std::optional<std::string_view> property_named(std::string_view header) {
  const Property* const property = find_by_header(header);
  return property == nullptr ? std::nullopt : std::optional(property->name);
}

std::optional<std::string_view> header_text(Bytes stored, std::string_view name) {
  for (std::string_view rest = as_text(stored); !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!line.starts_with(name) || line.substr(name.size()).find(':') != 0) continue;
    const std::string_view value = line.substr(name.size() + 1);
    return has_escapes(value) ? std::nullopt : std::optional(value);
  }
  return std::nullopt;
}

std::string stored_from(const broker::Table& table) {
  std::string out;
  for (const Property& property : properties) {
    const broker::Value* const value = table.find(property.name);
    if (value == nullptr || !is_scalar(*value)) continue;
    std::int64_t mode = 0;
    if (property.type != Type::persistent) {
      if (const std::string text = sent_text(property, *value, table); may_be_sent(text))
        append_stored(out, property.header, text);
    } else if (value->as_integer(mode) && mode == 2) {
      append_stored(out, property.header, "true");
    }
  }
  const broker::Value* const headers = table.find("headers");
  const auto* const fields = headers == nullptr ? nullptr : std::get_if<broker::Table>(&headers->v);
  if (fields == nullptr) return out;
  for (const broker::Field& field : fields->fields()) {
    // A frame's own headers can't be forged by a message's.
    if (field.key.empty() || !is_scalar(field.value) || is_for_broker(field.key) ||
        find_by_header(field.key) != nullptr)
      continue;
    if (const std::string text = broker::to_text(field.value); may_be_sent(field.key) && may_be_sent(text))
      append_stored(out, field.key, text);
  }
  return out;
}

void append_state(std::string& stored, const node::Delivery& delivery) {
  if (delivery.returns > 0) append_stored(stored, "x-delivery-count", std::to_string(delivery.returns));
  if (delivery.looked_at) append_stored(stored, "x-stream-offset", std::to_string(delivery.seq.value));
  if (delivery.message.extras.empty()) return;
  const Bytes deaths = broker::view_extras(delivery.message.extras).deaths;
  if (deaths.empty()) return;
  const Result<broker::DeathHistory> history = broker::decode_deaths(deaths);
  if (!history || history->deaths.empty()) return;
  const auto first = std::find_if(history->deaths.begin(), history->deaths.end(),
                                  [](const broker::Death& death) { return death.first; });
  if (first != history->deaths.end()) {
    append_stored(stored, "x-first-death-exchange", history->first_exchange);
    append_stored(stored, "x-first-death-queue", first->queue);
    append_stored(stored, "x-first-death-reason", broker::to_string(first->reason));
  }
  const broker::Death& last = history->deaths.front();
  append_stored(stored, "x-last-death-exchange", last.exchange);
  append_stored(stored, "x-last-death-queue", last.queue);
  append_stored(stored, "x-last-death-reason", broker::to_string(last.reason));
}

broker::Table arguments_of(const Headers& headers) {
  // A name or a text, whatever it looks like.
  static constexpr std::array<std::string_view, 9> texts{"x-dead-letter-exchange",
                                                         "x-dead-letter-routing-key",
                                                         "x-message-groups",
                                                         "x-last-value-key",
                                                         "x-fair-by",
                                                         "x-deduplication-header",
                                                         "x-queue-type",
                                                         "x-dead-letter-strategy",
                                                         "x-max-age"};
  broker::Table out;
  for (const Header& header : headers.all()) {
    if (!header.name.starts_with("x-") || header.name == "x-queue-name" || out.find(header.name) != nullptr)
      continue;
    std::string value = headers.plain(header.value);
    const bool is_text = std::find(texts.begin(), texts.end(), header.name) != texts.end();
    const bool negative = value.starts_with('-');
    const auto number = number_of(std::string_view(value).substr(negative ? 1 : 0));
    if (header.name == "x-stream-offset" && value.starts_with("offset=")) {
      const auto offset = number_of(std::string_view(value).substr(7));
      if (offset) out.append(std::string(header.name), {static_cast<std::int64_t>(*offset)});
    } else if (header.name == "x-stream-offset" && value.starts_with("timestamp=")) {
      const auto at = number_of(std::string_view(value).substr(10));
      if (at) out.append(std::string(header.name), {broker::Timestamp{*at}});
    } else if (!is_text && number && *number <= std::numeric_limits<std::int64_t>::max()) {
      const auto plain = static_cast<std::int64_t>(*number);
      out.append(std::string(header.name), {negative ? -plain : plain});
    } else if (!is_text && (value == "true" || value == "false")) {
      out.append(std::string(header.name), {value == "true"});
    } else {
      out.append(std::string(header.name), {std::move(value)});
    }
  }
  return out;
}

const broker::Table& SentHeaders::headers() {
  if (!table_) table_ = headers_of(as_bytes(stored_));
  return *table_;
}

}  // namespace weir::stomp
