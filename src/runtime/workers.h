// What it is: a small pool of threads for work that would stall a shard: password hashing, and little else.
// Shard: submit on any thread; `done` runs on the loop that was named.
#pragma once

#include <functional>
#include <memory>

#include "runtime/loop.h"

namespace weir::runtime {

class Workers {
 public:
  virtual ~Workers() = default;  // waits for the running work; drops what has not begun
  // False if the queue is full (64 entries per thread): the caller refuses the request.
  virtual bool submit(std::function<void()> work, Loop& loop, std::function<void()> done) = 0;
};
std::unique_ptr<Workers> make_workers(std::size_t threads);

}  // namespace weir::runtime
