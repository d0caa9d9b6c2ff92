// What it is: one event of the log as a line of text, for people or for machines. What clients send may be in the
// message: whatever it holds, it stays one line.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/log.h"

namespace weir::app {

struct LogEvent {
  std::chrono::system_clock::time_point time;
  LogLevel level;
  std::string_view component;
  std::string_view message;
};

// 2026-08-02T10:00:00.123Z info    journal: recovered 12 records
std::string log_line_as_text(const LogEvent& event);
// {"time":"2026-08-02T10:00:00.123Z","level":"info","component":"journal","message":"recovered 12 records"}
std::string log_line_as_json(const LogEvent& event);

}  // namespace weir::app
