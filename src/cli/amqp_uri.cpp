#include "cli/amqp_uri.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace weir::cli {

namespace {

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    if (i + 3 > text.size()) return std::nullopt;
    const auto parsed = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
    if (parsed.ptr != text.data() + i + 3) return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

bool decode_into(std::string& to, std::string_view text) {
  std::optional<std::string> decoded = percent_decoded(text);
  if (decoded) to = std::move(*decoded);
  return decoded.has_value();
}

bool parse_authority(BenchServer& server, std::string_view authority) {
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = authority.substr(0, at);
    const std::size_t colon = login.find(':');
    if (!decode_into(server.user, login.substr(0, colon))) return false;
    if (colon != std::string_view::npos && !decode_into(server.password, login.substr(colon + 1)))
      return false;
    authority.remove_prefix(at + 1);
  }
  std::size_t port_at = authority.rfind(':');
  if (authority.starts_with('[')) {  // IPv6
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return false;
    server.host = authority.substr(1, end - 1);
    if (end + 1 == authority.size()) return true;
    port_at = end + 1;
    if (authority[port_at] != ':') return false;
  } else if (const std::string_view host = authority.substr(0, port_at); !host.empty()) {
    server.host = host;
  }
  if (port_at == std::string_view::npos) return true;
  const std::string_view digits = authority.substr(port_at + 1);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), server.port);
  return parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size() && server.port != 0;
}

// Scheme and authority; the rest, from the slash on, is left in `uri`.
Result<BenchServer> parse_server(std::string_view& uri, std::string_view scheme, std::uint16_t port,
                                 std::uint16_t tls_port) {
  const std::string whole(uri);
  BenchServer server;
  server.port = port;
  if (!uri.starts_with(scheme))
    return fail(ErrorCode::config, fmt::format("{1}: not an {0}:// or {0}s:// URI", scheme, whole));
  uri.remove_prefix(scheme.size());
  if (uri.starts_with("s://")) {
    server.tls = true;
    server.port = tls_port;
    uri.remove_prefix(1);
  }
  if (!uri.starts_with("://"))
    return fail(ErrorCode::config, fmt::format("{1}: not an {0}:// or {0}s:// URI", scheme, whole));
  uri.remove_prefix(3);
  const std::size_t slash = uri.find('/');
  if (!parse_authority(server, uri.substr(0, slash)))
    return fail(ErrorCode::config, fmt::format("{}: bad user, host or port", whole));
  uri.remove_prefix(std::min(slash, uri.size()));
  return server;
}

}  // namespace

Result<BenchServer> parse_amqp_uri(std::string_view uri) {
  const std::string_view whole = uri;
  Result<BenchServer> server = parse_server(uri, "amqp", 5672, 5671);
  // No slash: the default vhost. A slash and nothing after it: the vhost with the empty name.
  if (server && !uri.empty() && !decode_into(server->vhost, uri.substr(1)))
    return fail(ErrorCode::config, fmt::format("{}: bad vhost", whole));
  return server;
}

Result<BenchServer> parse_http_uri(std::string_view uri) {
  const std::string_view whole = uri;
  Result<BenchServer> server = parse_server(uri, "http", 15672, 15671);
  if (server && !uri.empty() && uri != "/")
    return fail(ErrorCode::config, fmt::format("{}: there is no path in it", whole));
  return server;
}

}  // namespace weir::cli
