#include "protocol/stomp/destination.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/limits.h"

namespace weir::stomp {

namespace {

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

// What is no escape stays as it is.
std::string unquoted(std::string_view part) {
  std::string out;
  out.reserve(part.size());
  for (std::size_t at = 0; at < part.size(); ++at) {
    if (part[at] == '%' && at + 2 < part.size()) {
      const auto high = hex_digit(part[at + 1]), low = hex_digit(part[at + 2]);
      if (high && low) {
        out += static_cast<char>(*high << 4 | *low);
        at += 2;
        continue;
      }
    }
    out += part[at];
  }
  return out;
}

void append_quoted(std::string& out, std::string_view part) {
  for (const char c : part) {
    if (c == '/' || c == '%' || c == '\0') {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
}

std::unexpected<Error> malformed(std::string_view text) {
  return fail(ErrorCode::invalid_argument, fmt::format("'{}' is not a valid destination", text));
}

}  // namespace

Result<Destination> parse_destination(std::string_view text) {
  using Kind = Destination::Kind;
  struct Prefix {
    std::string_view text;
    Kind kind;
  };
  static constexpr Prefix prefixes[] = {
      {"/queue/", Kind::queue},           {"/topic/", Kind::topic},
      {"/exchange/", Kind::exchange},     {"/amq/queue/", Kind::amq_queue},
      {"/temp-queue/", Kind::temp_queue}, {"/reply-queue/", Kind::reply_queue},
  };
  for (const auto& [prefix, kind] : prefixes) {
    if (!text.starts_with(prefix)) continue;
    std::string_view rest = text.substr(prefix.size());
    Destination to{.kind = kind, .name = {}, .key = {}};
    const std::size_t slash = rest.find('/');
    if (kind == Kind::reply_queue) {
      to.name = std::string(rest);  // as we have given it
    } else if (kind == Kind::exchange) {
      to.name = unquoted(rest.substr(0, slash));
      const std::string_view key =
          slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
      if (key.find('/') != std::string_view::npos) return malformed(text);
      to.key = unquoted(key);
    } else {
      if (slash != std::string_view::npos) return malformed(text);
      to.name = unquoted(rest);
    }
    if (to.name.empty()) return malformed(text);
    if (kind == Kind::topic) to.key = std::exchange(to.name, std::string(topic_exchange));
    if (to.name.size() > limits::name_bytes_max || to.key.size() > limits::name_bytes_max) {
      return fail(ErrorCode::invalid_argument, "the destination is longer than 255 bytes");
    }
    return to;
  }
  return fail(ErrorCode::not_found,
              fmt::format("'{}' is not a valid destination.\n"
                          "Valid destination types are: "
                          "/temp-queue, /exchange, /topic, /queue, /amq/queue, /reply-queue.\n",
                          text));
}

void append_destination(std::string& out, std::string_view exchange, std::string_view routing_key) {
  if (exchange.empty()) {
    out += "/queue/";
  } else if (exchange == topic_exchange) {
    out += "/topic/";
  } else {
    out += "/exchange/";
    append_quoted(out, exchange);
    out += '/';
  }
  append_quoted(out, routing_key);
}

}  // namespace weir::stomp
