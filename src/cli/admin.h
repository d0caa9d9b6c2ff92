// What it is: the commands that ask a running broker over its management API (cli/admin_table.h), as subcommands.
#pragma once

#include <CLI/CLI.hpp>

namespace weir::cli {

namespace admin_exit {
inline constexpr int ok = 0;
inline constexpr int refused = 1;  // the broker said no, or what was asked about is not well
inline constexpr int usage = 64;   // as app::exit_code
inline constexpr int unreachable = 69;
}  // namespace admin_exit

// Nouns that `app` has already get further verbs.
void add_admin(CLI::App& app, int& exit_code);

}  // namespace weir::cli
