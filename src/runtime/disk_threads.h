// What it is: threads that carry out blocking disk requests, oldest first, started by the first request.
// Private to runtime.
// Shard: push, take and the destructor on the shard's thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/posix_disk.h"

namespace weir::runtime {

class DiskThreads {
 public:
  // `event` is written when take() has something to give. With one thread, requests are carried out in order.
  DiskThreads(std::size_t threads_max, int event) : threads_max_(threads_max), event_(event) {}
  DiskThreads(const DiskThreads&) = delete;
  DiskThreads& operator=(const DiskThreads&) = delete;
  ~DiskThreads();  // carries out what was pushed

  // Takes all of `jobs` and leaves it empty.
  void push(std::vector<DiskJob>& jobs);
  // Appends what has been carried out.
  void take(std::vector<DiskJob>& done);

 private:
  void work();

  const std::size_t threads_max_;
  const int event_;
  std::vector<std::thread> threads_;

  std::mutex mutex_;
  std::condition_variable more_;
  std::vector<DiskJob> waiting_;
  std::size_t next_ = 0;  // of waiting_
  std::size_t busy_ = 0;  // threads that are carrying out a request
  std::vector<DiskJob> done_;
  bool stopping_ = false;
  std::atomic<bool> any_done_{false};
};

}  // namespace weir::runtime
