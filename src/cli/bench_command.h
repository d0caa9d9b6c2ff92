// What it is: what the commands of the load generator have in common: options of every load, and the way from options to
// an exit code.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/bench_options.h"
#include "cli/bench_plan.h"
#include "cli/bench_protocol.h"

namespace weir::cli {

// How large, how many, how fast.
void add_load_options(CLI::App& app, BenchOptions& options);
// Threads, verification, where the result goes.
void add_run_options(CLI::App& app, BenchOptions& options);

// Runs, prints and writes the result. 0, 1 when a message was lost, doubled or out of order or a connection failed, 2 for
// options that make no sense. `command` is for messages.
int run_bench_command(const char* command, const BenchOptions& options, Result<BenchPlan> plan,
                      const BenchProtocol& protocol);

}  // namespace weir::cli
