// What it is: with what the process ends, as in sysexits.h where that has a word for it. docs/operations.md lists them.
#pragma once

#include "base/error.h"

namespace weir::app {

namespace exit_code {
inline constexpr int ok = 0;
inline constexpr int failed = 1;           // also: the deadline for stopping passed
inline constexpr int usage = 64;           // the command line
inline constexpr int corrupt = 65;         // the data directory holds what can't be read
inline constexpr int unavailable = 69;     // a system call that everything needs is not there
inline constexpr int cannot_create = 73;   // the data directory, the log file, the ports file
inline constexpr int io_error = 74;        // also: the disk failed while running
inline constexpr int locked = 75;          // another server holds the data directory
inline constexpr int address_in_use = 76;  // a listener's address can't be had
inline constexpr int config = 78;          // settings or definitions
}  // namespace exit_code

// Of a failure to start.
int exit_code_of(ErrorCode code);

}  // namespace weir::app
