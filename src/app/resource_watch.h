// What it is: looks at the process's memory and at the room on the disk twice a second, and tells when either is short.
// Shard: made, used and destroyed on the shard whose timers it gets.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "runtime/timers.h"

namespace weir::app {

inline constexpr std::uint64_t resource_watch_ms = 500;

struct ResourceLimits {
  std::uint64_t memory_max_bytes = UINT64_MAX;
  std::uint64_t disk_free_min_bytes = 0;
  std::string data_directory;
};

struct ResourceUse {
  std::uint64_t memory_bytes = 0;
  std::uint64_t disk_free_bytes = UINT64_MAX;
};

// What the process uses now. What can't be read counts as no use.
ResourceUse measure_resources(const std::string& data_directory);
std::uint64_t file_system_bytes(const std::string& directory);

class ResourceWatch {
 public:
  using Measure = std::function<ResourceUse(const std::string& data_directory)>;
  // `alarm` is "memory", "disk" or null when neither is short; called when it changes, and not for null at first.
  using Tell = std::function<void(const char* alarm)>;

  ResourceWatch(runtime::TimerWheel& timers, ResourceLimits limits, Tell tell,
                Measure measure = measure_resources);
  ~ResourceWatch();
  ResourceWatch(const ResourceWatch&) = delete;
  ResourceWatch& operator=(const ResourceWatch&) = delete;

 private:
  void look();

  runtime::TimerWheel& timers_;
  const ResourceLimits limits_;
  const Tell tell_;
  const Measure measure_;
  const char* alarm_ = nullptr;
  runtime::MethodTimer<ResourceWatch, &ResourceWatch::look> timer_{*this};
};

}  // namespace weir::app
