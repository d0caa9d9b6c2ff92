// What it is: `weir bench amqp`: the command line of the load generator.
#pragma once

#include <CLI/CLI.hpp>

namespace weir::cli {

// Adds the sub-command to `bench`. When it was chosen, it runs from inside of the parser and leaves its exit code:
// 0, 1 when a message was lost, doubled or out of order or a connection failed, 2 for options that make no sense.
void add_bench_amqp(CLI::App& bench, int& exit_code);

}  // namespace weir::cli
