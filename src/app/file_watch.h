// What it is: looks at files once in a while, and tells when one is not what it was: another file, size or time.
// Shard: made, used and destroyed on the shard whose timers it gets.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "runtime/timers.h"

namespace weir::app {

class FileWatch {
 public:
  // `changed` is called for any number of changes at once. Files may be missing.
  FileWatch(runtime::TimerWheel& timers, std::uint64_t every_ms, std::vector<std::string> paths,
            std::function<void()> changed);
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

 private:
  // Device, number, size, seconds and nanoseconds of the last change; zeros: it is not there.
  using Mark = std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::int64_t, std::int64_t>;
  static Mark mark_of(const std::string& path);
  std::vector<Mark> marks() const;
  void look();

  runtime::TimerWheel& timers_;
  const std::uint64_t every_ms_;
  const std::vector<std::string> paths_;
  const std::function<void()> changed_;
  std::vector<Mark> known_;
  runtime::MethodTimer<FileWatch, &FileWatch::look> timer_{*this};
};

}  // namespace weir::app
