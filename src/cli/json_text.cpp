#include "cli/json_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/text_cells.h"

namespace weir::cli {
namespace {

namespace json = boost::json;

// One line.
std::string shown(const json::value* value) {
  if (value == nullptr || value->is_null()) return "";
  if (const double* const number = value->if_double()) return fmt::format("{:.1f}", *number);
  if (const json::string* const text = value->if_string()) return harmless({text->data(), text->size()});
  if (const json::array* const list = value->if_array()) {
    std::string out;
    for (const json::value& item : *list) out += (out.empty() ? "" : ",") + shown(&item);
    return out;
  }
  return json::serialize(*value);
}

std::vector<std::string> keys_of(const json::object& item) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : item) keys.emplace_back(key);
  return keys;
}

}  // namespace

const json::value* value_at(const json::object& item, std::string_view path) {
  const std::size_t dot = path.find('.');
  const auto at = item.find(json::string_view(path.data(), std::min(dot, path.size())));
  if (at == item.end()) return nullptr;
  if (dot == std::string_view::npos) return &at->value();
  return at->value().is_object() ? value_at(at->value().as_object(), path.substr(dot + 1)) : nullptr;
}

std::optional<double> number_at(const json::object& item, std::string_view path) {
  const json::value* const value = value_at(item, path);
  boost::system::error_code error;
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->to_number<double>(error);
}

std::string text_at(const json::object& item, std::string_view path) { return shown(value_at(item, path)); }

std::string table_text(const json::array& items, std::vector<std::string> columns) {
  if (columns.empty() && !items.empty() && items.front().is_object())
    columns = keys_of(items.front().as_object());
  std::vector<std::vector<std::string>> lines{columns};
  std::vector<bool> numbers(columns.size(), !items.empty());
  for (const json::value& item : items) {
    if (!item.is_object()) continue;
    std::vector<std::string> line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const json::value* const value = value_at(item.as_object(), columns[i]);
      line.push_back(shown(value));
      numbers[i] = numbers[i] && (value == nullptr || value->is_null() || value->is_number());
    }
    lines.push_back(std::move(line));
  }
  std::vector<std::size_t> widths(columns.size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], cells_of(line[i]));
  }
  std::string out;
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string pad(widths[i] - cells_of(line[i]), ' ');
      text += (i > 0 ? "  " : "") + (numbers[i] ? pad + line[i] : line[i] + pad);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

std::vector<std::string> unknown_columns(const json::value& answer, const std::vector<std::string>& columns) {
  std::vector<std::string> unknown;
  const auto has = [](const json::value& item, const std::string& column) {
    return item.is_object() && value_at(item.as_object(), column) != nullptr;
  };
  for (const std::string& column : columns) {
    const bool known = answer.is_array()
                           ? answer.as_array().empty() ||
                                 std::any_of(answer.as_array().begin(), answer.as_array().end(),
                                             [&](const json::value& item) { return has(item, column); })
                           : has(answer, column);
    if (!known) unknown.push_back(column);
  }
  return unknown;
}

std::string item_text(const json::object& item, std::vector<std::string> columns) {
  if (columns.empty()) columns = keys_of(item);
  std::size_t widest = 0;
  for (const std::string& column : columns) widest = std::max(widest, cells_of(column));
  std::string out;
  for (const std::string& column : columns) {
    std::string line = left_in(column, widest) + "  " + text_at(item, column);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string messages_text(const json::array& messages) {
  std::string out;
  for (const json::value& message : messages) {
    if (!message.is_object()) continue;
    const json::object& of = message.as_object();
    const json::value* const again = value_at(of, "redelivered");
    if (const auto sequence = number_at(of, "sequence"))
      out += fmt::format("# message {:.0f}, {}\n", *sequence, text_at(of, "state"));
    out += fmt::format("# exchange '{}', key '{}', {} bytes{}\n", shown(value_at(of, "exchange")),
                       shown(value_at(of, "routing_key")), shown(value_at(of, "payload_bytes")),
                       again != nullptr && again->is_bool() && again->as_bool() ? ", redelivered" : "");
    if (const json::value* const properties = value_at(of, "properties");
        properties != nullptr && properties->is_object() && !properties->as_object().empty())
      out += "# " + json::serialize(*properties) + "\n";
    const json::value* const encoding = value_at(of, "payload_encoding");
    if (shown(encoding) == "base64") out += "# base64\n";
    const json::value* const payload = value_at(of, "payload");
    if (payload != nullptr && payload->is_string())
      out += harmless({payload->as_string().data(), payload->as_string().size()}, "\n\t");
    out += "\n";
  }
  return out;
}

}  // namespace weir::cli
