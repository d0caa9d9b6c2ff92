#include "app/resource_watch.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <charconv>
#include <string_view>
#include <utility>

#include "base/log.h"

namespace weir::app {
namespace {

constexpr const char* memory_alarm = "memory";
constexpr const char* disk_alarm = "disk";

// The second number of /proc/self/statm: resident pages.
std::uint64_t resident_bytes() {
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[128];
  const ssize_t length = ::read(file, text, sizeof text);
  ::close(file);
  const std::string_view words(text, length > 0 ? static_cast<std::size_t>(length) : 0);
  const std::size_t space = words.find(' ');
  if (space == std::string_view::npos) return 0;
  std::uint64_t pages = 0;
  std::from_chars(words.data() + space + 1, words.data() + words.size(), pages);
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

ResourceUse measure_resources(const std::string& data_directory) {
  ResourceUse use{resident_bytes(), UINT64_MAX};
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
