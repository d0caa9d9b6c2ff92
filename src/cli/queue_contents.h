// What it is: `weir queue peek`, `search`, `move`, `copy` and `remove`: work on the messages of a queue in steps, each a call of
// the management API, until it is done; with a progress bar.
#pragma once

#include <CLI/CLI.hpp>

namespace weir::cli {

// Adds them to `queue`.
void add_queue_contents(CLI::App& queue, int& exit_code);

}  // namespace weir::cli
