// What it is: `weir bench stomp`: the command line of the load generator for STOMP.
#pragma once

#include <CLI/CLI.hpp>

namespace weir::cli {

// As add_bench_amqp().
void add_bench_stomp(CLI::App& bench, int& exit_code);

}  // namespace weir::cli
