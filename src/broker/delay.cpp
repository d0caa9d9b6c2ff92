#include "broker/delay.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace weir::broker {

namespace {

std::int64_t whole_part(double number) {
  constexpr double most = 9e15;  // doubles are exact up to there
  return number > -most && number < most ? static_cast<std::int64_t>(number) : 0;
}

std::int64_t as_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace

std::int64_t delay_number(const Value& value) {
  std::int64_t number = 0;
  if (value.as_integer(number)) return number;
  if (const std::string* text = value.as_string()) return as_number(*text);
  if (const auto* fraction = std::get_if<double>(&value.v)) return whole_part(*fraction);
  if (const auto* fraction = std::get_if<float>(&value.v)) return whole_part(static_cast<double>(*fraction));
  if (const auto* decimal = std::get_if<Decimal>(&value.v))
    return whole_part(static_cast<double>(decimal->unscaled) / std::pow(10.0, decimal->scale));
  return 0;
}

std::uint64_t delay_ms(const Table& headers) {
  const Value* const value = headers.find(delay_header);
  if (value == nullptr) return 0;
  const std::int64_t number = delay_number(*value);
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(number, 0, delay_ms_max));
}

}  // namespace weir::broker
