#include "app/logging.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/log_budget.h"
#include "app/log_line.h"
#include "runtime/loop.h"

namespace weir::app {
namespace {

// One per process, made by the first start_logging and never destroyed: threads may log until the very end.
struct Logging {
  std::shared_ptr<spdlog::sinks::dist_sink_mt> outlet = std::make_shared<spdlog::sinks::dist_sink_mt>();
  spdlog::logger logger{"weir", outlet};
  std::string file;
  bool json = false;
  std::mutex budgets_mutex;
  LogBudget connections, audit;  // under the mutex
};
Logging* logging = nullptr;

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

LogLevel level_named(const std::string& name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "warning") return LogLevel::warning;
  return name == "error" ? LogLevel::error : LogLevel::info;
}

bool has_room(LogFlow flow) {
  if (flow == LogFlow::few) return true;
  const std::lock_guard lock(logging->budgets_mutex);
  LogBudget& budget = flow == LogFlow::audit ? logging->audit : logging->connections;
  return budget.take(runtime::system_clock().monotonic_ns());
}

void write_line(const LogRecord& record) {
  if (!has_room(record.flow)) return;
  const auto now = std::chrono::system_clock::now();
  const std::string line = logging->json ? log_line_as_json(now, record) : log_line_as_text(now, record);
  logging->logger.log(spdlog_level(record.level), spdlog::string_view_t(line));
}

void tell_dropped(std::string_view component, LogBudget& budget) {
  std::uint64_t dropped = 0;
  {
    const std::lock_guard lock(logging->budgets_mutex);
    dropped = budget.take_dropped();
  }
  if (dropped == 0) return;
  const LogField fields[] = {
      {"event", "lines_dropped"}, {"lines", dropped}, {"per_second", budget.per_second()}};
  log_record({LogLevel::warning, component, "lines were left out: there were too many", fields});
}

// spdlog throws when a file can't be opened.
Status open_outlet() {
  try {
    std::shared_ptr<spdlog::sinks::sink> sink;
    if (logging->file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(logging->file);
    }
    sink->set_pattern("%v");
    logging->outlet->set_sinks({std::move(sink)});
    return {};
  } catch (const std::exception& error) {
    return fail(ErrorCode::io_error, fmt::format("log.file: {}", error.what()));
  }
}

}  // namespace

Status start_logging(const Settings& settings) {
  if (logging == nullptr) logging = new Logging;
  logging->file = settings.log_file;
  logging->json = settings.log_format == "json";
  logging->connections = LogBudget(settings.log_connection_lines_per_second);
  logging->audit = LogBudget(settings.log_audit_lines_per_second);
  WEIR_TRY(open_outlet());
  logging->logger.set_level(spdlog::level::trace);
  logging->logger.flush_on(spdlog::level::trace);
  set_log_sink(&write_line, level_named(settings.log_level));
  return {};
}

void tell_dropped_lines() {
  if (logging == nullptr) return;
  tell_dropped("connection", logging->connections);
  tell_dropped("audit", logging->audit);
}

Status reopen_log() { return logging == nullptr ? Status{} : open_outlet(); }

}  // namespace weir::app
