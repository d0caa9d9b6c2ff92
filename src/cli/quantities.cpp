#include "cli/quantities.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string_view>

namespace weir::cli {

std::string grouped(std::uint64_t number) {
  std::string digits = fmt::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string per_second(double rate) {
  if (rate > 0 && rate < 9.95) return fmt::format("{:.1f}/s", rate);
  return grouped(static_cast<std::uint64_t>(std::max(std::round(rate), 0.0))) + "/s";
}

std::string bytes_text(double bytes) {
  constexpr std::array<std::string_view, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < units.size()) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 || bytes >= 99.95 ? fmt::format("{:.0f} {}", bytes, units[unit])
                                     : fmt::format("{:.1f} {}", bytes, units[unit]);
}

std::string seconds_text(double seconds) {
  if (!std::isfinite(seconds)) return "never";
  if (seconds < 9.95) return fmt::format("{:.1f} s", std::max(seconds, 0.0));
  const auto whole = static_cast<std::uint64_t>(std::llround(std::min(seconds, 1e15)));
  if (whole < 120) return fmt::format("{} s", whole);
  if (whole < 7'200) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (whole < 172'800) return fmt::format("{} h {} min", whole / 3'600, whole / 60 % 60);
  return fmt::format("{} d {} h", whole / 86'400, whole / 3'600 % 24);
}

std::string seconds_or_dash(std::optional<double> seconds) { return seconds ? seconds_text(*seconds) : "–"; }

}  // namespace weir::cli
