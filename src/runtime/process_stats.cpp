#include "runtime/process_stats.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <string_view>

namespace weir::runtime {
namespace {

std::uint64_t ns_of(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_usec) * 1'000;
}

template <typename Each>
void for_each_entry(const char* path, Each&& each) {
  DIR* const directory = ::opendir(path);
  if (directory == nullptr) return;
  while (const dirent* const entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') each(::dirfd(directory), entry->d_name);
  }
  ::closedir(directory);
}

}  // namespace

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

std::uint64_t thread_cpu_ns() {
  timespec time{};
  if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

ProcessStats process_stats() {
  ProcessStats stats;
  stats.resident_bytes = resident_bytes();
  for_each_entry("/proc/self/fd", [&](int directory, const char* name) {
    ++stats.open_files;
    char target[16];
    const ssize_t length = ::readlinkat(directory, name, target, sizeof target);
    constexpr std::string_view socket = "socket:";
    if (length > 0 && std::string_view(target, static_cast<std::size_t>(length)).starts_with(socket))
      ++stats.sockets;
  });
  for_each_entry("/proc/self/task", [&](int, const char*) { ++stats.threads; });
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) stats.open_files_max = files.rlim_cur;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    stats.cpu_ns = ns_of(usage.ru_utime) + ns_of(usage.ru_stime);
    stats.context_switches =
        static_cast<std::uint64_t>(usage.ru_nvcsw) + static_cast<std::uint64_t>(usage.ru_nivcsw);
  }
  return stats;
}

}  // namespace weir::runtime
