#include "admin/json_value.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "base/limits.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

struct ToJson {
  json::value operator()(std::monostate) const { return nullptr; }
  json::value operator()(bool value) const { return value; }
  json::value operator()(std::uint64_t value) const { return value; }
  json::value operator()(double value) const { return value; }
  json::value operator()(float value) const { return static_cast<double>(value); }
  json::value operator()(const broker::Decimal& value) const {
    return static_cast<double>(value.unscaled) / std::pow(10.0, value.scale);
  }
  json::value operator()(const broker::Timestamp& value) const { return value.seconds; }
  json::value operator()(const std::string& value) const { return json::string(value); }
  json::value operator()(const broker::ByteString& value) const { return json::string(value.bytes); }
  json::value operator()(const broker::Uuid& value) const {
    std::string text;
    for (std::size_t i = 0; i < sizeof value.bytes; ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
      text += fmt::format("{:02x}", value.bytes[i]);
    }
    return json::string(text);
  }
  json::value operator()(const broker::Array& value) const {
    json::array array;
    for (const broker::Value& item : value) array.push_back(to_json(item));
    return array;
  }
  json::value operator()(const broker::Table& value) const { return to_json(value); }
  template <typename Integer>
  json::value operator()(const Integer& value) const {
    return static_cast<std::int64_t>(value);
  }
};

}  // namespace

Result<broker::Table> to_table(const json::object& from) {
  broker::Table table;
  for (const auto& [key, value] : from) {
    if (key.size() > limits::name_bytes_max) {
      return fail(ErrorCode::config,
                  fmt::format("an argument's name is longer than {} bytes", limits::name_bytes_max));
    }
    auto converted = to_value(value);
    if (!converted) return std::unexpected(std::move(converted).error());
    table.append(std::string(key), std::move(*converted));  // JSON objects hold a key once
  }
  return table;
}

Result<broker::Value> to_value(const json::value& from) {
  switch (from.kind()) {
    case json::kind::null: return broker::Value{};
    case json::kind::bool_: return broker::Value{from.get_bool()};
    case json::kind::int64: return broker::Value{std::int64_t{from.get_int64()}};
    case json::kind::uint64: return fail(ErrorCode::config, "an argument's number does not fit into 64 bits");
    case json::kind::double_: return broker::Value{from.get_double()};
    case json::kind::string: return broker::Value{std::string(from.get_string())};
    case json::kind::array: {
      broker::Array array;
      for (const json::value& item : from.get_array()) {
        auto converted = to_value(item);
        if (!converted) return std::unexpected(std::move(converted).error());
        array.push_back(std::move(*converted));
      }
      return broker::Value{std::move(array)};
    }
    case json::kind::object: {
      auto table = to_table(from.get_object());
      if (!table) return std::unexpected(std::move(table).error());
      return broker::Value{std::move(*table)};
    }
  }
  return broker::Value{};
}

json::value to_json(const broker::Value& from) { return std::visit(ToJson{}, from.v); }

json::object to_json(const broker::Table& from) {
  json::object object;
  for (const broker::Field& field : from.fields()) object[field.key] = to_json(field.value);
  return object;
}

}  // namespace weir::admin
