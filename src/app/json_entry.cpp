#include "app/json_entry.h"

#include <fmt/format.h>

#include <utility>

#include "base/limits.h"

namespace weir::app {
namespace {

namespace json = boost::json;

Result<broker::Value> to_value(const json::value& from);

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

}  // namespace

JsonEntry::JsonEntry(const json::value& value, std::string place, std::string_view name_key)
    : object_(value.if_object()), place_(std::move(place)) {
  if (object_ == nullptr) {
    refuse("must be an object");
  } else if (const json::value* name = object_->if_contains(name_key); name != nullptr && name->is_string()) {
    const json::string& text = name->get_string();
    place_ +=
        fmt::format(" '{}'", std::string_view(text.data(), std::min(text.size(), limits::name_bytes_max)));
  }
}

const json::value* JsonEntry::find(std::string_view key) const {
  return object_ == nullptr ? nullptr : object_->if_contains(key);
}

bool JsonEntry::has(std::string_view key) const { return find(key) != nullptr; }

const std::string* JsonEntry::text(std::string_view key) {
  const json::value* value = find(key);
  if (value == nullptr) return nullptr;
  if (!value->is_string()) {
    refuse(fmt::format("\"{}\" must be a string", key));
    return nullptr;
  }
  scratch_ = value->get_string();
  return &scratch_;
}

std::string JsonEntry::required_text(std::string_view key) {
  if (object_ != nullptr && !has(key)) refuse(fmt::format("\"{}\" is missing", key));
  return text_or(key, "");
}

std::string JsonEntry::text_or(std::string_view key, std::string_view otherwise) {
  const std::string* found = text(key);
  return found == nullptr ? std::string(otherwise) : *found;
}

std::string JsonEntry::name(std::string_view key) {
  std::string found = required_text(key);
  if (found.size() > limits::name_bytes_max) {
    refuse(fmt::format("\"{}\" is longer than {} bytes", key, limits::name_bytes_max));
  }
  return found;
}

std::string JsonEntry::required_name(std::string_view key) {
  std::string found = name(key);
  if (found.empty()) refuse(fmt::format("\"{}\" must not be empty", key));
  return found;
}

bool JsonEntry::flag(std::string_view key) {
  const json::value* value = find(key);
  if (value == nullptr) return false;
  if (!value->is_bool()) {
    refuse(fmt::format("\"{}\" must be true or false", key));
    return false;
  }
  return value->get_bool();
}

broker::Table JsonEntry::table(std::string_view key) {
  const json::value* value = find(key);
  if (value == nullptr || value->is_null()) return {};
  // Some exporters write an empty table as an empty list.
  if (value->is_array() && value->get_array().empty()) return {};
  if (!value->is_object()) {
    refuse(fmt::format("\"{}\" must be an object", key));
    return {};
  }
  auto converted = to_table(value->get_object());
  if (!converted) {
    refuse(fmt::format("\"{}\": {}", key, converted.error().message));
    return {};
  }
  return std::move(*converted);
}

void JsonEntry::refuse(std::string message) {
  if (error_.empty()) error_ = std::move(message);
}

Status JsonEntry::status() const {
  if (error_.empty()) return {};
  return fail(ErrorCode::config, fmt::format("{}: {}", place_, error_));
}

}  // namespace weir::app
