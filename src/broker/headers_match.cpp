#include "broker/headers_match.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

namespace weir::broker {

namespace {

struct Rule {
  bool any = false;
  bool with_x = false;
};

std::optional<Rule> parse_rule(std::string_view text) {
  if (text == "all") return Rule{};
  if (text == "any") return Rule{.any = true};
  if (text == "all-with-x") return Rule{.with_x = true};
  if (text == "any-with-x") return Rule{.any = true, .with_x = true};
  return std::nullopt;
}

std::optional<double> as_float(const Value& value) {
  if (const auto* number = std::get_if<double>(&value.v)) return *number;
  if (const auto* number = std::get_if<float>(&value.v)) return *number;
  return std::nullopt;
}

// Timestamps count as integers.
bool as_whole(const Value& value, std::int64_t& out) {
  if (const auto* timestamp = std::get_if<Timestamp>(&value.v)) {
    return Value{timestamp->seconds}.as_integer(out);
  }
  return value.as_integer(out);
}

std::optional<std::string_view> as_octets(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value.v)) return *text;
  if (const auto* bytes = std::get_if<ByteString>(&value.v)) return bytes->bytes;
  return std::nullopt;
}

// By value, not by width: clients write the same number in different types.
bool same(const Value& pattern, const Value& header) {
  if (pattern == header) return true;
  const auto pattern_octets = as_octets(pattern), header_octets = as_octets(header);
  if (pattern_octets && header_octets) return *pattern_octets == *header_octets;
  std::int64_t pattern_whole = 0, header_whole = 0;
  const bool pattern_is_whole = as_whole(pattern, pattern_whole),
             header_is_whole = as_whole(header, header_whole);
  if (pattern_is_whole && header_is_whole) return pattern_whole == header_whole;
  const auto pattern_float = pattern_is_whole ? static_cast<double>(pattern_whole) : as_float(pattern);
  const auto header_float = header_is_whole ? static_cast<double>(header_whole) : as_float(header);
  return pattern_float && header_float && *pattern_float == *header_float;
}

}  // namespace

bool headers_match(const Table& arguments, const Table& headers) {
  Rule rule;
  if (const Value* x_match = arguments.find("x-match")) {
    if (const std::string* text = x_match->as_string()) rule = parse_rule(*text).value_or(Rule{});
  }
  for (const Field& field : arguments.fields()) {
    if (field.key == "x-match" || (!rule.with_x && field.key.starts_with("x-"))) continue;
    const Value* header = headers.find(field.key);
    const bool matches = header != nullptr && (std::holds_alternative<std::monostate>(field.value.v) ||
                                               same(field.value, *header));
    if (matches == rule.any) return rule.any;
  }
  return !rule.any;
}

Status check_headers_binding(const Table& arguments) {
  const Value* x_match = arguments.find("x-match");
  if (x_match == nullptr) return {};
  const std::string* text = x_match->as_string();
  if (text == nullptr) {
    return fail(ErrorCode::precondition_failed,
                fmt::format("Invalid x-match field type {} (value {}); expected longstr", type_name(*x_match),
                            to_text(*x_match)));
  }
  if (!parse_rule(*text)) {
    return fail(
        ErrorCode::precondition_failed,
        fmt::format("Invalid x-match field value <<\"{}\">>; expected all, any, all-with-x, or any-with-x",
                    *text));
  }
  return {};
}

}  // namespace weir::broker
