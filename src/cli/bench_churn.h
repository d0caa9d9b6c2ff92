// What it is: `weir bench churn`: how often per second connections can be opened and closed, or queues be declared and deleted.
#pragma once

#include <CLI/CLI.hpp>

namespace weir::cli {

// Adds the sub-command to `bench`. When it was chosen, it runs from inside of the parser and leaves its exit code: 0, 1 when
// a connection failed, 2 for options that make no sense.
void add_bench_churn(CLI::App& bench, int& exit_code);

}  // namespace weir::cli
