// What it is: the result of a run, and how it is told: lines for people, JSON for scripts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/bench_options.h"
#include "cli/bench_tally.h"
#include "cli/process_usage.h"

namespace weir::cli {

struct BenchReport {
  BenchTally tally;
  double measured_s = 0;
  double drain_s = 0;           // after the measured interval
  std::uint64_t published = 0;  // of the whole run
  std::uint64_t confirmed = 0;
  std::uint64_t consumed = 0;
  std::uint64_t lost = 0;  // verified: sent, not received
  std::uint64_t unconfirmed = 0;
  std::uint64_t left_in_queues = 0;  // when they were deleted
  ProcessUsage generator;            // in the measured interval
  ProcessUsage broker;
  std::string failure;  // what ended the run early

  bool ok() const { return failure.empty() && lost == 0 && unconfirmed == 0 && tally.faults() == 0; }
};

// Messages per second that count: consumed, or confirmed without consumers, or published without confirms.
double throughput_per_s(const BenchOptions& options, const BenchReport& report);

std::string report_text(const BenchOptions& options, const BenchReport& report);
std::string report_json(const BenchOptions& options, const BenchReport& report);

}  // namespace weir::cli
