// What it is: what the machine, or the container, gives to this process.
#pragma once

#include <cstdint>
#include <string>

namespace weir::app {

// Memory of the machine, or of the control groups that we are in if they allow less.
// `root` is "" outside of tests: the directory in which /proc and /sys are looked for.
std::uint64_t usable_memory_bytes(const std::string& root = "");

// Cores that this process may run on, and not more than its control groups' share of time is worth. At least 1.
unsigned usable_cores(const std::string& root = "");

// Raises the limit of open files as far as is allowed; returns what it is then.
std::uint64_t raise_open_files_limit();

}  // namespace weir::app
