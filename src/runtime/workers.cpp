#include "runtime/workers.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace weir::runtime {
namespace {

constexpr std::size_t waiting_per_thread_max = 64;

class ThreadWorkers final : public Workers {
 public:
  explicit ThreadWorkers(std::size_t threads) : waiting_max_(threads * waiting_per_thread_max) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  }

  ~ThreadWorkers() override {
    {
      const std::lock_guard guard(mutex_);
      stopping_ = true;
    }
    more_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  bool submit(std::function<void()> work, Loop& loop, std::function<void()> done) override {
    {
      const std::lock_guard guard(mutex_);
      if (waiting_.size() >= waiting_max_) return false;
      waiting_.push_back({std::move(work), &loop, std::move(done)});
    }
    more_.notify_one();
    return true;
  }

 private:
  struct Job {
    std::function<void()> work;
    Loop* loop;
    std::function<void()> done;
  };

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      more_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      Job job = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      job.work();
      job.loop->post(std::move(job.done));
      job.work = nullptr;  // what it captured goes outside of the lock
      lock.lock();
    }
  }

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<Job> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Workers> make_workers(std::size_t threads) {
  return std::make_unique<ThreadWorkers>(threads);
}

}  // namespace weir::runtime
