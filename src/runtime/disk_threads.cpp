#include "runtime/disk_threads.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.h"

namespace weir::runtime {

DiskThreads::~DiskThreads() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  more_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void DiskThreads::push(std::vector<DiskJob>& jobs) {
  if (jobs.empty()) return;
  const std::size_t count = jobs.size();
  std::size_t outstanding = 0;
  {
    const std::lock_guard guard(mutex_);
    std::move(jobs.begin(), jobs.end(), std::back_inserter(waiting_));
    outstanding = waiting_.size() - next_ + busy_;
  }
  jobs.clear();
  while (threads_.size() < std::min(outstanding, threads_max_)) threads_.emplace_back([this] { work(); });
  count == 1 ? more_.notify_one() : more_.notify_all();
}

void DiskThreads::take(std::vector<DiskJob>& done) {
  if (!any_done_.load(std::memory_order_acquire)) return;
  const std::lock_guard guard(mutex_);
  any_done_.store(false, std::memory_order_relaxed);
  std::move(done_.begin(), done_.end(), std::back_inserter(done));
  done_.clear();
}

void DiskThreads::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    more_.wait(lock, [this] { return stopping_ || next_ < waiting_.size(); });
    if (next_ == waiting_.size()) return;
    DiskJob job = std::move(waiting_[next_++]);
    if (next_ == waiting_.size()) {
      waiting_.clear();
      next_ = 0;
    }
    ++busy_;
    lock.unlock();
    job.result = carry_out(job);
    job.contents = {};
    lock.lock();
    --busy_;
    done_.push_back(std::move(job));
    if (any_done_.exchange(true)) continue;
    const std::uint64_t one = 1;
    const ssize_t written = ::write(event_, &one, sizeof one);
    WEIR_ASSERT(written == sizeof one);
  }
}

}  // namespace weir::runtime
