// What it is: what the command line can say, from the parser itself: completion for shells, and a manual page.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

namespace weir::app {

// For "bash", "zsh" or "fish"; empty for another shell.
std::string completion_script(const CLI::App& app, std::string_view shell);
// weir(1), in roff's man macros.
std::string manual_page(const CLI::App& app);

}  // namespace weir::app
