#include "cli/bench_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>

#include "cli/bench_run.h"

namespace weir::cli {

void add_load_options(CLI::App& app, BenchOptions& o) {
  app.add_option("--size", o.size_bytes, "Bytes of a body")->capture_default_str();
  app.add_option("--messages", o.messages, "Publish so many in all, without warm-up, instead of --seconds");
  app.add_option("--seconds", o.seconds, "Measured time; then what is on its way is drained")
      ->capture_default_str();
  app.add_option("--warmup", o.warmup_s, "Seconds before the measured time")->capture_default_str();
  app.add_option("--rate", o.rate_per_s,
                 "Messages/s in all, evenly spaced; latency counts from the intended time");
  app.add_option("--window", o.window, "Unconfirmed messages per producer; 1 waits for each")
      ->capture_default_str();
  app.add_option("--backlog", o.backlog, "Producers wait while so many messages are not consumed; 0: never");
}

void add_run_options(CLI::App& app, BenchOptions& o) {
  app.add_option("--threads", o.threads, "1: one for all; else half for producers, half for consumers")
      ->capture_default_str();
  app.add_flag("--verify,!--no-verify", o.verify, "Check order, loss and duplicates");
  app.add_option("--drain-idle", o.drain_idle_s, "Seconds without any message after which the rest is lost")
      ->capture_default_str();
  app.add_option("--json", o.json_file, "Write the result to this file, too");
  app.add_option("--broker-pid", o.broker_pid, "Report this process's CPU time and memory");
}

int run_bench_command(const char* command, const BenchOptions& options, Result<BenchPlan> plan,
                      const BenchProtocol& protocol) {
  const auto fault = [command](const Error& error) {
    fmt::print(stderr, "{}: {}\n", command, error.message);
    return error.code == ErrorCode::config ? 2 : 1;
  };
  if (!plan) return fault(plan.error());
  const Result<BenchReport> report = run_bench(options, std::move(*plan), protocol);
  if (!report) return fault(report.error());
  fmt::print("{}", report_text(options, *report));
  if (!options.json_file.empty()) {
    std::ofstream file(options.json_file);
    file << report_json(options, *report);
    if (!file.flush()) {
      fmt::print(stderr, "{}: {} can't be written\n", command, options.json_file);
      return 1;
    }
  }
  return report->ok() ? 0 : 1;
}

}  // namespace weir::cli
