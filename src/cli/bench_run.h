// What it is: one run of the load generator from the first connection to the verdict.
#pragma once

#include "base/error.h"
#include "cli/bench_options.h"
#include "cli/bench_plan.h"
#include "cli/bench_protocol.h"
#include "cli/bench_report.h"

namespace weir::cli {

// Blocking. What goes wrong before anything was measured is an Error; later it is in the report.
Result<BenchReport> run_bench(const BenchOptions& options, BenchPlan plan, const BenchProtocol& protocol);

}  // namespace weir::cli
