#include "app/listen_address.h"

#include <fmt/format.h>

#include <charconv>

namespace weir::app {
namespace {

bool is_port(std::string_view text) {
  std::uint32_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port <= 65535;
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) return text.size() > 2 && text.ends_with(']');
  return text.find_first_of(":[]/ \t") == std::string_view::npos;
}

}  // namespace

Result<std::string> parse_listen_address(std::string_view text) {
  if (text.empty()) return std::string();
  if (is_port(text)) return fmt::format("0.0.0.0:{}", text);
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && is_port(text.substr(colon + 1)) && is_host(text.substr(0, colon))) {
    return std::string(text);
  }
  return fail(
      ErrorCode::invalid_argument,
      fmt::format(
          "\"{}\" is not an address: write \"host:port\", \"[IPv6]:port\", \":port\" for all addresses, "
          "a port of 0 for a free one, or \"\" to switch it off",
          text));
}

}  // namespace weir::app
