#include "broker/equivalence.h"

#include <fmt/format.h>

#include <optional>

namespace weir::broker {

namespace {

std::optional<double> as_float(const Value& value) {
  if (const auto* number = std::get_if<double>(&value.v)) return *number;
  if (const auto* number = std::get_if<float>(&value.v)) return *number;
  return std::nullopt;
}

// Kinds of number that count as one type.
enum class Family { integer, floating, own };

Family family(const Value& value) {
  std::int64_t number = 0;
  if (value.as_integer(number) || std::holds_alternative<std::uint64_t>(value.v)) return Family::integer;
  return as_float(value) ? Family::floating : Family::own;
}

bool same_value(const Value& a, const Value& b) {
  if (a == b) return true;
  std::int64_t a_number = 0, b_number = 0;
  if (a.as_integer(a_number) && b.as_integer(b_number)) return a_number == b_number;
  return family(a) == Family::floating && family(b) == Family::floating && *as_float(a) == *as_float(b);
}

bool same_type(const Value& a, const Value& b) {
  return a.v.index() == b.v.index() || (family(a) == family(b) && family(a) != Family::own);
}

std::unexpected<Error> inequivalent(std::string_view name, std::string_view resource,
                                    std::string_view received, std::string_view current) {
  return fail(ErrorCode::inequivalent,
              fmt::format("inequivalent arg '{}' for {}: received {} but current is {}", name, resource,
                          received, current));
}

bool is_classic(const Value* value) {
  if (value == nullptr) return true;
  const std::string* const text = value->as_string();
  return text != nullptr && *text == "classic";
}

std::string described(const Value* value) { return value == nullptr ? "none" : describe(*value); }

}  // namespace

Status same_property(std::string_view name, std::string_view resource, std::string_view received,
                     std::string_view current) {
  if (received == current) return {};
  return inequivalent(name, resource, fmt::format("'{}'", received), fmt::format("'{}'", current));
}

Status same_property(std::string_view name, std::string_view resource, bool received, bool current) {
  return same_property(name, resource, received ? std::string_view("true") : std::string_view("false"),
                       current ? std::string_view("true") : std::string_view("false"));
}

Status same_argument(std::string_view name, std::string_view resource, const Table& received,
                     const Table& current) {
  const Value* const asked = received.find(name);
  const Value* const have = current.find(name);
  if (asked == nullptr && have == nullptr) return {};
  if (asked != nullptr && have != nullptr) {
    if (same_value(*asked, *have)) return {};
    if (same_type(*asked, *have) || to_text(*asked) != to_text(*have)) {
      return inequivalent(name, resource, fmt::format("'{}'", to_text(*asked)),
                          fmt::format("'{}'", to_text(*have)));
    }
    return inequivalent(name, resource, describe(*asked), describe(*have));  // 1 and "1"
  }
  // A queue without a type is a classic one.
  if (name == "x-queue-type" && is_classic(asked) && is_classic(have)) return {};
  return inequivalent(name, resource, described(asked), described(have));
}

}  // namespace weir::broker
