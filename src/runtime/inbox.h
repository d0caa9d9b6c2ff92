// What it is: the mailbox of a shard: many shards push batches, its owner drains. First in, first out over all
// senders, so that what happened before stays before (a queue's creation reaches a shard before a publish to it that
// another shard sent after learning of the queue).
// Shard: push from any thread; drain on the owner's.
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace weir::runtime {

template <typename T>
class Inbox {
 public:
  // `wake` makes the owner's loop turn; called only when the inbox was empty.
  explicit Inbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  // Moves all of `batch` in and leaves it empty with its capacity.
  void push(std::vector<T>& batch) {
    if (batch.empty()) return;
    bool was_empty = false;
    {
      const std::lock_guard guard(mutex_);
      was_empty = items_.empty();
      for (T& item : batch) items_.push_back(std::move(item));
    }
    batch.clear();
    if (was_empty) wake_();
  }

  // Swaps what is there into `out`, which must be empty.
  void drain(std::vector<T>& out) {
    const std::lock_guard guard(mutex_);
    std::swap(items_, out);
  }

 private:
  std::mutex mutex_;
  std::vector<T> items_;
  std::function<void()> wake_;
};

}  // namespace weir::runtime
