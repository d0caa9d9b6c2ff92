// What it is: an io_uring that carries out reads and durable writes, as many at a time as it has entries; the rest waits
// its turn here. Private to runtime.
// Shard: of its disk, on its thread.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "base/error.h"
#include "runtime/posix_disk.h"

namespace weir::runtime {

class DiskRing {
 public:
  // `event` is written when a request completes. unsupported, where the kernel or its policy refuses io_uring.
  static Result<std::unique_ptr<DiskRing>> make(int event);
  DiskRing(const DiskRing&) = delete;
  DiskRing& operator=(const DiskRing&) = delete;
  ~DiskRing();  // waits for what is in the ring

  // Takes all of `jobs` (reads and writes) and leaves it empty. Nothing is begun before enter().
  void push(std::vector<DiskJob>& jobs);
  // One system call, if anything is to be begun.
  void enter();
  // Calls completed(request, result) for each that has completed; it may push more.
  template <typename Completed>
  void take(Completed&& completed) {
    io_uring_cqe* completion = nullptr;
    while (in_ring_ > 0 && ::io_uring_peek_cqe(&ring_, &completion) == 0) {
      auto* const request = static_cast<IoRequest*>(::io_uring_cqe_get_data(completion));
      const std::int64_t result = completion->res;
      ::io_uring_cqe_seen(&ring_, completion);
      --in_ring_;
      completed(*request, result);
    }
  }

 private:
  DiskRing() = default;
  void submit();

  io_uring ring_{};
  bool made_ = false;
  std::size_t in_ring_ = 0;
  std::deque<DiskJob> waiting_;
};

}  // namespace weir::runtime
