#include "protocol/mqtt/stored_properties.h"

#include <algorithm>
#include <utility>

#include "protocol/mqtt/codec/input.h"
#include "protocol/mqtt/codec/property_list.h"
#include "protocol/mqtt/codec/sink.h"
#include "protocol/mqtt/codec/topic.h"

namespace weir::mqtt {

namespace {

constexpr std::size_t text_bytes_max = 65'535;
// Where AMQP 0-9-1 has correlation data that no property of its takes: longer than 255 bytes, or not UTF-8.
constexpr std::string_view long_correlation = "x-correlation-id";
constexpr unsigned retain_bit = 4, store_bit = 8;

template <typename Visit>
void for_each_property(Bytes list, Visit&& visit) {
  Input input(list);
  while (!input.at_end()) {
    Property property;
    if (!take_property(input, false, property)) return;
    visit(property);
  }
}

// Where it is one of AMQP's own; empty: it is a header.
std::string_view name_of(PropertyId id) {
  switch (id) {
    case PropertyId::content_type: return "content_type";
    case PropertyId::correlation_data: return "correlation_id";
    case PropertyId::response_topic: return "reply_to";
    default: return {};
  }
}

std::string_view cut(std::string_view text) { return text.substr(0, text_bytes_max); }

// Numbers, truths and texts as text; nothing: MQTT has nothing for it.
std::optional<std::string> text_of(const broker::Value& value) {
  if (std::holds_alternative<std::monostate>(value.v) || std::holds_alternative<broker::Table>(value.v) ||
      std::holds_alternative<broker::Array>(value.v))
    return std::nullopt;
  if (const std::string* const text = value.as_string()) return *text;
  if (const auto* const bytes = std::get_if<broker::ByteString>(&value.v)) return bytes->bytes;
  return broker::to_text(value);
}

}  // namespace

void append_stored(std::vector<std::byte>& out, const StoredMark& mark, const PublishProperties& properties) {
  SizeSink size;
  PropertyWriter<SizeSink> sizes(size);
  PublishProperties kept = properties;
  kept.message_expiry_s.reset();
  put_message_properties(sizes, kept);
  const std::size_t at = out.size();
  out.resize(at + stored_mark_bytes + size.bytes());
  out[at] = static_cast<std::byte>(mark.qos | (mark.retain ? retain_bit : 0U));
  store_le(out.data() + at + 1, mark.publisher);
  ByteSink sink(out.data() + at + stored_mark_bytes);
  PropertyWriter<ByteSink> writer(sink);
  put_message_properties(writer, kept);
}

StoredMark mark_of(Bytes stored) {
  if (stored.size() < stored_mark_bytes) return {};
  const auto first = static_cast<unsigned>(stored[0]);
  return {.qos = static_cast<std::uint8_t>(first & 3U),
          .retain = (first & retain_bit) != 0,
          .of_store = (first & store_bit) != 0,
          .publisher = load_le<std::uint64_t>(stored.data() + 1)};
}

std::string_view topic_behind(Bytes stored) {
  if (stored.size() < stored_mark_bytes + 2 || !mark_of(stored).of_store) return {};
  const std::size_t bytes = load_le<std::uint16_t>(stored.data() + stored_mark_bytes);
  const Bytes rest = stored.subspan(stored_mark_bytes + 2);
  return as_text(rest.first(std::min(bytes, rest.size())));
}

Bytes list_of(Bytes stored) {
  if (stored.size() < stored_mark_bytes) return {};
  const Bytes rest = stored.subspan(stored_mark_bytes);
  if (!mark_of(stored).of_store) return rest;
  return rest.subspan(std::min(rest.size(), 2 + topic_behind(stored).size()));
}

void append_of_store(std::vector<std::byte>& out, Bytes stored, std::string_view topic) {
  const Bytes list = list_of(stored);
  const std::size_t at = out.size();
  out.resize(at + stored_mark_bytes + 2 + topic.size() + list.size());
  ByteSink sink(out.data() + at);
  sink.raw(stored.first(stored_mark_bytes));
  out[at] |= static_cast<std::byte>(store_bit);
  store_le(sink.at(), static_cast<std::uint16_t>(topic.size()));
  ByteSink rest(sink.at() + 2);
  rest.raw(as_bytes(topic));
  rest.raw(list);
}

broker::Table properties_table(Bytes stored) {
  broker::Table out, headers;
  for_each_property(list_of(stored), [&](const Property& property) {
    if (property.id == PropertyId::user_property) {
      if (headers.find(as_text(property.data)) == nullptr)
        headers.append(std::string(as_text(property.data)), {std::string(property.value)});
    } else if (const std::string_view name = name_of(property.id); !name.empty()) {
      std::string text(as_text(property.data));
      if (property.id == PropertyId::response_topic) {
        write_routing_key(text, text.data());
        out.set("reply_topic", {text});
      }
      out.set(std::string(name), {std::move(text)});
    }
  });
  out.append("delivery_mode", {std::int64_t{mark_of(stored).qos > 0 ? 2 : 1}});
  if (!headers.empty()) out.append("headers", {std::move(headers)});
  return out;
}

broker::Table headers_of(Bytes stored) {
  const broker::Table table = properties_table(stored);
  const broker::Value* const headers = table.find("headers");
  return headers == nullptr ? broker::Table() : std::get<broker::Table>(headers->v);
}

std::optional<std::string> property_of(Bytes stored, std::string_view name) {
  const broker::Table table = properties_table(stored);
  const broker::Value* const value = table.find(name);
  return value == nullptr ? std::nullopt : text_of(*value);
}

std::optional<std::string_view> header_text(Bytes stored, std::string_view name) {
  std::optional<std::string_view> found;
  for_each_property(list_of(stored), [&](const Property& property) {
    if (!found && property.id == PropertyId::user_property && as_text(property.data) == name)
      found = property.value;
  });
  return found;
}

void append_list(std::vector<std::byte>& out, const broker::Table& table) {
  PublishProperties known;
  std::vector<std::byte> user;
  std::string type, response, correlation;
  const auto take_headers = [&](const broker::Table& headers) {
    for (const broker::Field& header : headers.fields()) {
      const auto text = text_of(header.value);
      if (!text) continue;
      if (header.key == long_correlation && table.find("correlation_id") == nullptr) {
        correlation = cut(*text);
        known.correlation_data = as_bytes(correlation);
      } else if (valid_utf8(header.key) && valid_utf8(*text)) {
        append_user_property(user, cut(header.key), cut(*text));
      }
    }
  };
  // Where replies are wanted by topic, reply_to says it in the words of another protocol.
  const bool by_topic = table.find("reply_topic") != nullptr;
  for (const broker::Field& field : table.fields()) {
    if (field.key == "headers") {
      if (const auto* const headers = std::get_if<broker::Table>(&field.value.v)) take_headers(*headers);
      continue;
    }
    // The receiver sees the one in how it is delivered, the other in what is left of it.
    if (field.key == "delivery_mode" || field.key == "expiration") continue;
    if (field.key == "reply_to" && by_topic) continue;
    const auto text = text_of(field.value);
    if (!text || text->empty()) continue;
    if (field.key == "correlation_id") {
      correlation = cut(*text);
      known.correlation_data = as_bytes(correlation);
    } else if (!valid_utf8(*text)) {
      continue;
    } else if (field.key == "content_type") {
      type = cut(*text);
      known.content_type = type;
    } else if ((field.key == "reply_to" || field.key == "reply_topic") && is_topic_name(*text)) {
      response = topic_of(*text);
      known.response_topic = response;
    } else {
      append_user_property(user, field.key, cut(*text));
    }
  }
  known.user = UserProperties(user);
  SizeSink size;
  PropertyWriter<SizeSink> sizes(size);
  put_message_properties(sizes, known);
  const std::size_t at = out.size();
  out.resize(at + size.bytes());
  ByteSink sink(out.data() + at);
  PropertyWriter<ByteSink> writer(sink);
  put_message_properties(writer, known);
}

const broker::Table& SentProperties::headers() {
  if (!table_) table_ = headers_of(stored_);
  return *table_;
}

}  // namespace weir::mqtt
