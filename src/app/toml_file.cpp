#include "app/toml_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <toml.hpp>
#include <tuple>

namespace weir::app {
namespace {

using Kind = WrittenValue::Kind;

// The library's texts have several lines and begin with the name of a function of its own.
std::string first_line(std::string_view what) {
  what = what.substr(0, what.find('\n'));
  if (what.starts_with("[error] ")) what.remove_prefix(8);
  if (what.starts_with("toml::")) {
    const std::size_t colon = what.find(": ");
    if (colon != std::string_view::npos) what.remove_prefix(colon + 2);
  }
  return std::string(what);
}

// Strings without quotes: this is what is parsed further, and what people are shown.
WrittenValue written_value(const toml::value& value) {
  switch (value.type()) {
    case toml::value_t::boolean: return {Kind::boolean, value.as_boolean() ? "true" : "false", {}};
    case toml::value_t::integer: return {Kind::integer, fmt::format("{}", value.as_integer()), {}};
    case toml::value_t::floating: return {Kind::floating, fmt::format("{}", value.as_floating()), {}};
    case toml::value_t::string: return {Kind::string, value.as_string().str, {}};
    case toml::value_t::array: {
      WrittenValue written{Kind::list, {}, {}};
      for (const toml::value& item : value.as_array()) {
        if (!item.is_string()) return {Kind::other, {}, {}};
        written.items.push_back(item.as_string().str);
      }
      return written;
    }
    default: return {Kind::other, {}, {}};
  }
}

void flatten(const std::string& prefix, const toml::value& table, std::vector<TomlEntry>& out) {
  for (const auto& [key, value] : table.as_table()) {
    const std::string name = prefix.empty() ? key : prefix + "." + key;
    if (value.is_table()) {
      flatten(name, value, out);
    } else {
      out.push_back({name, written_value(value), value.location().line()});
    }
  }
}

// The library's tables are not in the order of the text.
bool comes_before(const TomlEntry& a, const TomlEntry& b) {
  return std::tie(a.line, a.name) < std::tie(b.line, b.name);
}

}  // namespace

Result<std::vector<TomlEntry>> parse_toml(std::string_view text, const std::string& file_name) {
  try {
    std::istringstream stream{std::string(text)};
    std::vector<TomlEntry> entries;
    flatten("", toml::parse(stream, file_name), entries);
    std::sort(entries.begin(), entries.end(), comes_before);
    return entries;
  } catch (const toml::exception& error) {
    return fail(ErrorCode::config,
                fmt::format("{}:{}: {}", file_name, error.location().line(), first_line(error.what())));
  } catch (const std::exception& error) {
    return fail(ErrorCode::config, fmt::format("{}: {}", file_name, first_line(error.what())));
  }
}

Result<std::vector<std::string>> parse_toml_list(std::string_view text) {
  const auto entries = parse_toml(fmt::format("list = {}\n", text), "list");
  if (!entries || entries->size() != 1 || entries->front().written.kind != Kind::list) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("\"{}\" is not a list of strings: write a,b or [\"a\", \"b\"]", text));
  }
  return entries->front().written.items;
}

}  // namespace weir::app
