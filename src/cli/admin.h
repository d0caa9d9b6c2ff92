// What it is: the commands that ask a running broker over its management API (cli/admin_table.h), as subcommands.
#pragma once

#include <CLI/CLI.hpp>

namespace weir::cli {

// Nouns that `app` has already get further verbs.
void add_admin(CLI::App& app, int& exit_code);

}  // namespace weir::cli
