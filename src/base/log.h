// What it is: the logging facade. Anyone may log; app/ decides where lines go.
// Shard: any thread. Not for the hot path.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace weir {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

// What the line is about, where that decides how many there may be: clients can cause any number of these.
enum class LogFlow : std::uint8_t { few, connections, audit };

// What a machine reads of a line. The views last as long as the call.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::uint64_t, double, bool> value;
};

struct LogRecord {
  LogLevel level = LogLevel::info;
  std::string_view component;
  std::string_view message;
  std::span<const LogField> fields{};
  LogFlow flow = LogFlow::few;
};

using LogSink = void (*)(const LogRecord& record);

// The default sink writes warnings and errors to stderr.
void set_log_sink(LogSink sink, LogLevel least);
// For programs that tell themselves what is worth telling.
void mute_log();
bool log_enabled(LogLevel level);
void log_record(const LogRecord& record);

template <typename... Args>
void log(LogLevel level, std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (!log_enabled(level)) return;
  const std::string message = fmt::format(format, std::forward<Args>(args)...);
  log_record({level, component, message});
}
template <typename... Args>
void log_debug(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::debug, component, format, std::forward<Args>(args)...);
}
template <typename... Args>
void log_info(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::info, component, format, std::forward<Args>(args)...);
}
template <typename... Args>
void log_warning(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::warning, component, format, std::forward<Args>(args)...);
}
template <typename... Args>
void log_error(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::error, component, format, std::forward<Args>(args)...);
}

}  // namespace weir
