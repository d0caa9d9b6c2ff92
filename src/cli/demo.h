// What it is: `weir demo`: shows that hold what they promise.
#pragma once

#include <CLI/CLI.hpp>

namespace weir::cli {

void add_demo(CLI::App& app, int& exit_code);

}  // namespace weir::cli
