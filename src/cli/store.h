// What it is: `weir store`: looking at and repairing a data directory that no server runs on.
#pragma once

#include <CLI/CLI.hpp>

namespace weir::cli {

// Adds the command to `app`. When it was chosen, it runs from inside of the parser and leaves its exit code:
// 0 whole or repaired, 1 damage found or not repaired, 2 not a data directory, 3 in use.
void add_store(CLI::App& app, int& exit_code);

}  // namespace weir::cli
