// What it is: one event of the log as a line of text, for people or for machines. What clients send may be in the
// message: whatever it holds, it stays one line.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/log.h"

namespace weir::app {

using LogTime = std::chrono::system_clock::time_point;

// 2026-08-02T10:00:00.123Z info    connection: closed user=shop reason="missed heartbeats" duration_s=12.5
std::string log_line_as_text(LogTime time, const LogRecord& record);
// {"time":"2026-08-02T10:00:00.123Z","level":"info","component":"connection","message":"closed","user":"shop", …}
std::string log_line_as_json(LogTime time, const LogRecord& record);

}  // namespace weir::app
