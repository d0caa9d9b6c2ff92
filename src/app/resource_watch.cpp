#include "app/resource_watch.h"

#include <sys/statvfs.h>

#include <utility>

#include "base/log.h"
#include "runtime/process_stats.h"

namespace weir::app {
namespace {

constexpr const char* memory_alarm = "memory";
constexpr const char* disk_alarm = "disk";

}  // namespace

ResourceUse measure_resources(const std::string& data_directory) {
  ResourceUse use{runtime::resident_bytes(), UINT64_MAX};
  struct statvfs state{};
  if (::statvfs(data_directory.c_str(), &state) == 0) use.disk_free_bytes = state.f_bavail * state.f_frsize;
  return use;
}

std::uint64_t file_system_bytes(const std::string& directory) {
  struct statvfs state{};
  return ::statvfs(directory.c_str(), &state) == 0 ? state.f_blocks * state.f_frsize : 0;
}

ResourceWatch::ResourceWatch(runtime::TimerWheel& timers, ResourceLimits limits, Tell tell, Measure measure)
    : timers_(timers), limits_(std::move(limits)), tell_(std::move(tell)), measure_(std::move(measure)) {
  look();
}

ResourceWatch::~ResourceWatch() { timers_.cancel(timer_); }

void ResourceWatch::look() {
  timers_.arm(timer_, resource_watch_ms);
  const ResourceUse use = measure_(limits_.data_directory);
  const char* alarm = nullptr;
  if (use.memory_bytes > limits_.memory_max_bytes) {
    alarm = memory_alarm;
  } else if (use.disk_free_bytes < limits_.disk_free_min_bytes) {
    alarm = disk_alarm;
  }
  if (alarm == alarm_) return;
  alarm_ = alarm;
  if (alarm == nullptr) {
    log_info("resources", "memory and disk suffice again: publishing goes on");
  } else if (alarm == memory_alarm) {
    log_warning("resources", "{} bytes of memory are used, memory.high_watermark is {}: publishing stops",
                use.memory_bytes, limits_.memory_max_bytes);
  } else {
    log_warning("resources", "{} bytes are free for {}, disk.free_min is {}: publishing stops",
                use.disk_free_bytes, limits_.data_directory, limits_.disk_free_min_bytes);
  }
  tell_(alarm);
}

}  // namespace weir::app
