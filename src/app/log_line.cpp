#include "app/log_line.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <iterator>

#include "base/utf8.h"

namespace weir::app {
namespace {

std::string_view level_word(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
  }
  return {};
}

std::string time_text(std::chrono::system_clock::time_point time) {
  const auto since_epoch = time.time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(time)),
                     ms);
}

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_control(static_cast<unsigned char>(c))) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

// JSON is UTF-8: of a text that is not, each byte above ASCII is taken for the character of that number.
std::string json_string(std::string_view text) {
  const bool utf8 = valid_utf8(text);
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (is_control(byte) || (byte >= 0x80 && !utf8)) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string plain(std::uint64_t value) { return fmt::to_string(value); }
std::string plain(double value) { return fmt::format("{:.3f}", value); }
std::string plain(bool value) { return value ? "true" : "false"; }

// A word stays as it is, all else is quoted.
struct AsText {
  std::string operator()(std::string_view text) const {
    const std::string line = one_line(text);
    if (!line.empty() && line.find_first_of(" =\"\\") == std::string::npos) return line;
    std::string out = "\"";
    for (const char c : line) out += c == '"' ? std::string("\\\"") : std::string(1, c);
    return out + '"';
  }
  template <typename Value>
  std::string operator()(Value value) const {
    return plain(value);
  }
};
struct AsJson {
  std::string operator()(std::string_view text) const { return json_string(text); }
  template <typename Value>
  std::string operator()(Value value) const {
    return plain(value);
  }
};

}  // namespace

std::string log_line_as_text(LogTime time, const LogRecord& record) {
  std::string line = fmt::format("{} {:<7} {}: {}", time_text(time), level_word(record.level),
                                 record.component, one_line(record.message));
  for (const LogField& field : record.fields)
    line += fmt::format(" {}={}", field.name, std::visit(AsText{}, field.value));
  return line;
}

std::string log_line_as_json(LogTime time, const LogRecord& record) {
  std::string line =
      fmt::format(R"({{"time":"{}","level":"{}","component":{},"message":{})", time_text(time),
                  level_word(record.level), json_string(record.component), json_string(record.message));
  for (const LogField& field : record.fields)
    line += fmt::format(R"(,"{}":{})", field.name, std::visit(AsJson{}, field.value));
  return line + "}";
}

}  // namespace weir::app
