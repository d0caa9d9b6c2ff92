#include "cli/amqp_uri.h"

#include <fmt/format.h>

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

}  // namespace

Result<BenchServer> parse_amqp_uri(std::string_view uri) {
  const std::string_view whole = uri;
  const auto bad = [whole](std::string_view why) {
    return fail(ErrorCode::config, fmt::format("{}: {}", whole, why));
  };
  BenchServer server;
  if (uri.starts_with("amqps://")) {
    server.tls = true;
    server.port = 5671;
    uri.remove_prefix(8);
  } else if (uri.starts_with("amqp://")) {
    uri.remove_prefix(7);
  } else {
    return bad("not an amqp:// or amqps:// URI");
  }
  const std::size_t slash = uri.find('/');
  if (!parse_authority(server, uri.substr(0, slash))) return bad("bad user, host or port");
  // No slash: the default vhost. A slash and nothing after it: the vhost with the empty name.
  if (slash != std::string_view::npos && !decode_into(server.vhost, uri.substr(slash + 1)))
    return bad("bad vhost");
  return server;
}

}  // namespace weir::cli
