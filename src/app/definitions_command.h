// What it is: `weir definitions export`: what a data directory holds of definitions, as a definitions file.
#pragma once

#include <CLI/CLI.hpp>

namespace weir::app {

void add_definitions(CLI::App& app, int& exit_code);

}  // namespace weir::app
