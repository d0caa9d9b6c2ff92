#include "protocol/http/codec/target.h"

#include <utility>

namespace weir::http {
namespace {

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

// What stands before the first of `marks`; `rest` loses it and the mark. False: it was the last.
bool cut(std::string_view& rest, std::string_view marks, std::string_view& piece) {
  const std::size_t end = rest.find_first_of(marks);
  piece = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return end != std::string_view::npos;
}

std::vector<std::string_view> resolved_segments(std::string_view path) {
  std::vector<std::string_view> segments;
  for (bool more = true; more;) {
    std::string_view segment;
    more = cut(path, "/", segment);
    if (segment == ".") continue;
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
      continue;
    }
    if (!more && segment.empty()) continue;
    segments.push_back(segment);
  }
  return segments;
}

bool parse_query(std::string_view query, std::vector<Parameter>& out) {
  for (bool more = !query.empty(); more;) {
    std::string_view pair, name;
    more = cut(query, "&", pair);
    if (pair.empty()) continue;
    cut(pair, "=", name);
    auto decoded_name = percent_decode(name, true), decoded_value = percent_decode(pair, true);
    if (!decoded_name || !decoded_value) return false;
    out.push_back({std::move(*decoded_name), std::move(*decoded_value)});
  }
  return true;
}

}  // namespace

const std::string* Target::parameter(std::string_view name) const {
  for (const Parameter& one : query) {
    if (one.name == name) return &one.value;
  }
  return nullptr;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const auto high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    out += static_cast<char>(*high << 4 | *low);
    i += 2;
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15U];
  }
  return out;
}

std::optional<Target> parse_target(std::string_view target) {
  if (target.starts_with("http://") || target.starts_with("https://")) {
    const std::size_t path = target.find('/', target.find("//") + 2);
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  if (!target.starts_with('/')) return std::nullopt;
  target = target.substr(0, target.find('#'));
  std::string_view path, query = target;
  cut(query, "?", path);
  Target out;
  for (const std::string_view segment : resolved_segments(path.substr(1))) {
    auto decoded = percent_decode(segment, false);
    if (!decoded) return std::nullopt;
    out.path.push_back(std::move(*decoded));
  }
  if (!parse_query(query, out.query)) return std::nullopt;
  return out;
}

}  // namespace weir::http
