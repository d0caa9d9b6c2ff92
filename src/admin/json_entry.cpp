#include "admin/json_entry.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "admin/json_value.h"
#include "base/limits.h"

namespace weir::admin {

namespace json = boost::json;

namespace {

// False: it is another kind of list.
bool read_pairs(const json::array& list, json::object& out) {
  for (const json::value& item : list) {
    const json::array* pair = item.if_array();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_string()) return false;
    out[(*pair)[0].get_string()] = (*pair)[1];
  }
  return true;
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
  if (value->is_string() && (value->get_string() == "true" || value->get_string() == "false"))
    return value->get_string() == "true";
  if (!value->is_bool()) {
    refuse(fmt::format("\"{}\" must be true or false", key));
    return false;
  }
  return value->get_bool();
}

std::int64_t JsonEntry::integer_or(std::string_view key, std::int64_t otherwise) {
  const json::value* value = find(key);
  if (value == nullptr) return otherwise;
  if (value->is_int64()) return value->get_int64();
  if (value->is_string()) {
    const std::string_view text = value->get_string();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return number;
  }
  refuse(fmt::format("\"{}\" must be an integer", key));
  return otherwise;
}

std::vector<std::string> JsonEntry::words(std::string_view key) {
  std::vector<std::string> words;
  const json::value* value = find(key);
  if (value == nullptr) return words;
  if (const json::array* list = value->if_array()) {
    for (const json::value& word : *list) {
      if (word.is_string()) {
        words.emplace_back(word.get_string());
      } else {
        refuse(fmt::format("\"{}\" must be strings", key));
      }
    }
    return words;
  }
  const std::string text = text_or(key, "");
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    std::string_view word = rest.substr(0, comma);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (!word.empty()) words.emplace_back(word);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return words;
}

broker::Table JsonEntry::table(std::string_view key) {
  const json::value* value = find(key);
  if (value == nullptr || value->is_null()) return {};
  json::object pairs;
  const json::object* object = value->if_object();
  // Some exporters write a table as a list of pairs, an empty one too.
  if (const json::array* list = value->if_array(); list != nullptr && read_pairs(*list, pairs))
    object = &pairs;
  if (object == nullptr) {
    refuse(fmt::format("\"{}\" must be an object", key));
    return {};
  }
  auto converted = to_table(*object);
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

}  // namespace weir::admin
