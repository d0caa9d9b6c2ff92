// What it is: the command line of the weir binary.
#pragma once

namespace weir::app {

// Runs what the arguments ask for; returns the exit code (app/exit_codes.h).
int run_command_line(int argc, char** argv);

}  // namespace weir::app
