// What it is: a rush from its first order to the verdict: who dies when, what is shown meanwhile, and when it is over.
// Blocking, on the main thread; signals and the terminal are its own.
#pragma once

#include "cli/rush_options.h"

namespace weir::cli {

// The exit code: 0 nothing was lost; 1 something was, or it could not be run; 128 + the signal that ended it.
int run_rush(const RushOptions& options);

}  // namespace weir::cli
