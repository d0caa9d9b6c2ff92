#include "app/machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

namespace weir::app {
namespace {

struct Group {
  std::string mount;  // below root
  std::string path;   // "/a/b"
};

// Lines of /proc/self/cgroup: "0::/path" for the unified hierarchy, "4:memory:/path" for one of the old ones.
Group group_of(const std::string& root, std::string_view old_controller) {
  std::ifstream file(root + "/proc/self/cgroup");
  Group unified;
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controllers.find("," + std::string(old_controller) + ",") != std::string::npos) {
      return {"/sys/fs/cgroup/" + std::string(old_controller), line.substr(second + 1)};
    }
    if (controllers == ",,") unified = {"/sys/fs/cgroup", line.substr(second + 1)};
  }
  return unified;
}

// The words of a file of the group and of each group around it.
template <typename Visit>
void for_each_level(const std::string& root, const Group& group, const char* file_name, Visit visit) {
  if (group.mount.empty()) return;
  for (std::string path = group.path;; path.resize(path.rfind('/'))) {
    while (path.ends_with('/')) path.pop_back();
    std::ifstream file(root + group.mount + path + "/" + file_name);
    std::string first, second;
    if (file >> first) {
      file >> second;
      visit(first, second);
    }
    if (path.empty() || path.rfind('/') == std::string::npos) return;
  }
}

std::uint64_t number_or(const std::string& text, std::uint64_t otherwise) {
  std::uint64_t number = 0;
  std::istringstream stream(text);
  return stream >> number ? number : otherwise;  // "max"
}

}  // namespace

std::uint64_t usable_memory_bytes(const std::string& root) {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page_bytes = ::sysconf(_SC_PAGESIZE);
  std::uint64_t least = pages > 0 && page_bytes > 0
                            ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes)
                            : UINT64_MAX;
  const Group group = group_of(root, "memory");
  for (const char* file_name : {"memory.max", "memory.limit_in_bytes"}) {
    for_each_level(root, group, file_name, [&](const std::string& limit, const std::string&) {
      least = std::min(least, number_or(limit, UINT64_MAX));
    });
  }
  return least;
}

unsigned usable_cores(const std::string& root) {
  cpu_set_t set;
  CPU_ZERO(&set);
  double cores = ::sched_getaffinity(0, sizeof set, &set) == 0
                     ? CPU_COUNT(&set)
                     : static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN));
  for_each_level(root, group_of(root, "cpu"), "cpu.max",
                 [&](const std::string& quota, const std::string& period) {
                   const std::uint64_t time = number_or(quota, 0), of = number_or(period, 0);
                   if (time > 0 && of > 0)
                     cores = std::min(cores, std::ceil(static_cast<double>(time) / static_cast<double>(of)));
                 });
  return cores < 1 ? 1U : static_cast<unsigned>(cores);
}

std::uint64_t raise_open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

}  // namespace weir::app
