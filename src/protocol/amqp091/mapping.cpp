#include "protocol/amqp091/mapping.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <type_traits>
#include <utility>

#include "protocol/amqp091/errors.h"

namespace weir::amqp091 {

namespace {

broker::Value value_from_wire(FieldValue&& from);

broker::Table table_from_tree(FieldTable&& from) {
  broker::Table table;
  for (FieldEntry& entry : from.entries) {
    if (table.find(entry.name) == nullptr)
      table.append(std::move(entry.name), value_from_wire(std::move(entry.value)));
  }
  return table;
}

// One overload for every type of one side that is not the same type on the other.
struct FromWire {
  broker::Value operator()(Decimal&& value) const {
    return {broker::Decimal{value.scale, static_cast<std::int32_t>(value.digits)}};
  }
  broker::Value operator()(Timestamp&& value) const { return {broker::Timestamp{value.seconds}}; }
  broker::Value operator()(ByteString&& value) const { return {broker::ByteString{std::move(value.bytes)}}; }
  broker::Value operator()(FieldArray&& value) const {
    broker::Array array;
    array.reserve(value.values.size());
    for (FieldValue& item : value.values) array.push_back(value_from_wire(std::move(item)));
    return {std::move(array)};
  }
  broker::Value operator()(FieldTable&& value) const { return {table_from_tree(std::move(value))}; }
  template <typename T>
  broker::Value operator()(T&& same) const {
    return {broker::Value::Variant(std::forward<T>(same))};
  }
};

broker::Value value_from_wire(FieldValue&& from) { return std::visit(FromWire{}, std::move(from.value)); }

FieldValue value_to_wire(const broker::Value& from);

struct ToWire {
  FieldValue operator()(std::monostate) const { return {}; }
  FieldValue operator()(std::uint64_t value) const {
    if (std::in_range<std::int64_t>(value)) return static_cast<std::int64_t>(value);
    return std::to_string(value);
  }
  FieldValue operator()(broker::Decimal value) const {
    return Decimal{value.scale, static_cast<std::uint32_t>(value.unscaled)};
  }
  FieldValue operator()(broker::Timestamp value) const { return Timestamp{value.seconds}; }
  FieldValue operator()(const broker::ByteString& value) const { return ByteString{value.bytes}; }
  FieldValue operator()(const broker::Uuid& value) const {
    return ByteString{std::string(as_text(std::as_bytes(std::span(value.bytes))))};
  }
  FieldValue operator()(const broker::Array& value) const {
    FieldArray array;
    array.values.reserve(value.size());
    for (const broker::Value& item : value) array.values.push_back(value_to_wire(item));
    return array;
  }
  FieldValue operator()(const broker::Table& value) const { return table_to_wire(value); }
  template <typename T>
  FieldValue operator()(const T& same) const {
    return same;
  }
};

FieldValue value_to_wire(const broker::Value& from) { return std::visit(ToWire{}, from.v); }

}  // namespace

broker::Table table_from_wire(TableBytes table) {
  auto decoded = decode_table(table.content);
  return decoded ? table_from_tree(std::move(*decoded)) : broker::Table();
}

FieldTable table_to_wire(const broker::Table& table) {
  FieldTable wire;
  wire.entries.reserve(table.size());
  for (const broker::Field& field : table.fields()) {
    wire.add(cut_text(field.key, short_string_bytes_max), value_to_wire(field.value));
  }
  return wire;
}

std::string without_line_ends(std::string_view name) {
  std::string kept(name);
  std::erase_if(kept, [](char c) { return c == '\r' || c == '\n'; });
  return kept;
}

std::string expiration_fault(std::string_view expiration) {
  constexpr std::int64_t expiration_ms_max = std::numeric_limits<std::uint32_t>::max();
  std::int64_t value = 0;
  const char* end = expiration.data() + expiration.size();
  const auto parsed = std::from_chars(expiration.data(), end, value);
  if (parsed.ec == std::errc::invalid_argument) return "no_integer";
  if (parsed.ptr != end) return fmt::format("{{leftover_string,\"{}\"}}", std::string_view(parsed.ptr, end));
  const std::string_view fault =
      expiration.starts_with('-') && expiration != "-0" ? "value_negative" : "value_too_big";
  if (parsed.ec != std::errc() || value < 0 || value > expiration_ms_max)
    return fmt::format("{{{},{}}}", fault, expiration);
  return {};
}

std::uint32_t expiration_ms(std::string_view expiration) {
  std::uint32_t value = 0;
  std::from_chars(expiration.data(), expiration.data() + expiration.size(), value);
  return value;
}

std::optional<std::string> property_text(PropertiesView properties, std::string_view name) {
  const auto text = [](std::optional<std::string_view> value) {
    return value ? std::optional<std::string>(*value) : std::nullopt;
  };
  if (name == "message_id") return text(properties.message_id());
  if (name == "correlation_id") return text(properties.correlation_id());
  const auto number = [](auto value) {
    return value ? std::optional<std::string>(std::to_string(*value)) : std::nullopt;
  };
  if (name == "timestamp") return number(properties.timestamp_s());
  const Properties all = properties_of(properties);
  if (name == "priority") return number(all.priority);
  if (name == "delivery_mode") return number(all.delivery_mode);
  for (const TextProperty& one : text_properties) {
    if (one.name == name) return text(all.*one.member);
  }
  return std::nullopt;
}

broker::Table table_of_properties(const Properties& properties) {
  broker::Table out;
  for (const auto& [name, member] : text_properties) {
    if (properties.*member) out.append(std::string(name), {std::string(*(properties.*member))});
  }
  if (properties.delivery_mode) out.append("delivery_mode", {*properties.delivery_mode});
  if (properties.priority) out.append("priority", {*properties.priority});
  if (properties.timestamp_s) out.append("timestamp", {*properties.timestamp_s});
  if (properties.headers) out.append("headers", {table_from_wire(*properties.headers)});
  return out;
}

const broker::Table& MessageHeaders::headers() {
  if (!table_) {
    const auto raw = properties_.headers();
    table_ = raw ? table_from_wire(*raw) : broker::Table();
  }
  return *table_;
}

}  // namespace weir::amqp091
