// What it is: `weir top`: the broker, its queues and its connections, live in a terminal, over the management API.
#pragma once

#include <CLI/CLI.hpp>

namespace weir::cli {

void add_top(CLI::App& app, int& exit_code);

}  // namespace weir::cli
