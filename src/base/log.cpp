#include "base/log.h"

#include <atomic>
#include <cstdio>

namespace weir {
namespace {

void stderr_sink(const LogRecord& record) {
  fmt::print(stderr, "weir: {}: {}\n", record.component, record.message);
}

std::atomic<LogSink> current_sink{&stderr_sink};
std::atomic<LogLevel> least_level{LogLevel::warning};

}  // namespace

void set_log_sink(LogSink sink, LogLevel least) {
  current_sink.store(sink);
  least_level.store(least);
}

void mute_log() {
  set_log_sink([](const LogRecord&) {}, LogLevel::error);
}

bool log_enabled(LogLevel level) { return level >= least_level.load(std::memory_order_relaxed); }

void log_record(const LogRecord& record) {
  if (log_enabled(record.level)) current_sink.load()(record);
}

}  // namespace weir
