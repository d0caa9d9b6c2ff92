// What it is: what the operating system says of this process and of its threads, for those who watch it. What can't be read
// is 0.
#pragma once

#include <cstdint>

namespace weir::runtime {

// Of the calling thread, since it began.
std::uint64_t thread_cpu_ns();

struct ProcessStats {
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_files = 0, open_files_max = 0;
  std::uint64_t sockets = 0;  // of the open files
  std::uint64_t threads = 0;
  std::uint64_t cpu_ns = 0;
  std::uint64_t context_switches = 0;
};

std::uint64_t resident_bytes();
// Looks at every open file: some tens of microseconds, and more with many connections.
ProcessStats process_stats();

}  // namespace weir::runtime
