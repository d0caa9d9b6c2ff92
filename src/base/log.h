// What it is: the logging facade. Anyone may log; app/ decides where lines go.
// Shard: any thread. Not for the hot path.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace weir {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

using LogSink = void (*)(LogLevel level, std::string_view component, std::string_view message);

// The default sink writes warnings and errors to stderr.
void set_log_sink(LogSink sink, LogLevel least);
bool log_enabled(LogLevel level);
void log_message(LogLevel level, std::string_view component, std::string_view message);

template <typename... Args>
void log(LogLevel level, std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(level)) log_message(level, component, fmt::format(format, std::forward<Args>(args)...));
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
