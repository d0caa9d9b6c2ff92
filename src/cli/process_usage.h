// What it is: how much processor time and memory this process and, on request, the broker's have used.
#pragma once

#include <cstdint>

namespace weir::cli {

struct ProcessUsage {
  double user_s = 0;
  double system_s = 0;
  std::uint64_t resident_bytes = 0;  // now; 0 for this process

  ProcessUsage since(const ProcessUsage& before) const {
    return {user_s - before.user_s, system_s - before.system_s, resident_bytes};
  }
};

ProcessUsage own_usage();
// Of the process `pid`, all zero when there is none. From /proc/<pid>/stat: in steps of 10 ms.
ProcessUsage usage_of(std::int64_t pid);

}  // namespace weir::cli
