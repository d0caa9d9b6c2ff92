#include "base/log.h"

#include <atomic>
#include <cstdio>

namespace weir {
namespace {

void stderr_sink(LogLevel /*level*/, std::string_view component, std::string_view message) {
  fmt::print(stderr, "weir: {}: {}\n", component, message);
}

std::atomic<LogSink> current_sink{&stderr_sink};
std::atomic<LogLevel> least_level{LogLevel::warning};

}  // namespace

void set_log_sink(LogSink sink, LogLevel least) {
  current_sink.store(sink);
  least_level.store(least);
}

bool log_enabled(LogLevel level) { return level >= least_level.load(std::memory_order_relaxed); }

void log_message(LogLevel level, std::string_view component, std::string_view message) {
  current_sink.load()(level, component, message);
}

}  // namespace weir
