#include "app/file_watch.h"

#include <sys/stat.h>

#include <utility>

namespace weir::app {

FileWatch::FileWatch(runtime::TimerWheel& timers, std::uint64_t every_ms, std::vector<std::string> paths,
                     std::function<void()> changed)
    : timers_(timers),
      every_ms_(every_ms),
      paths_(std::move(paths)),
      changed_(std::move(changed)),
      known_(marks()) {
  timers_.arm(timer_, every_ms_);
}

FileWatch::~FileWatch() { timers_.cancel(timer_); }

FileWatch::Mark FileWatch::mark_of(const std::string& path) {
  struct stat state{};
  if (::stat(path.c_str(), &state) != 0) return {};
  return {state.st_dev, state.st_ino, state.st_size, state.st_mtim.tv_sec, state.st_mtim.tv_nsec};
}

std::vector<FileWatch::Mark> FileWatch::marks() const {
  std::vector<Mark> all;
  for (const std::string& path : paths_) all.push_back(mark_of(path));
  return all;
}

void FileWatch::look() {
  timers_.arm(timer_, every_ms_);
  std::vector<Mark> now = marks();
  if (now == known_) return;
  known_ = std::move(now);
  changed_();
}

}  // namespace weir::app
