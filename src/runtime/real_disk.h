// What it is: the real disks, as the loop makes them. Private to runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/error.h"
#include "runtime/disk.h"
#include "runtime/loop.h"

namespace weir::runtime {

// When a disk makes a durable write on the shard's thread: see runtime/inline_writes.h.
struct InlineWriteLimits {
  std::size_t bytes_max = 16U << 10;
  std::uint64_t fast_ns = 100'000;  // a write that takes longer is slow
  unsigned proofs = 8;              // fast ones in a row that are handed over before the next is made inline
};

class RealDisk : public Disk {
 public:
  // An eventfd that is written when poll() has something to do. Nobody needs to read it (edge-triggered).
  virtual int event() const = 0;
  // A write was submitted that the next poll() will make itself: who sleeps before that keeps it waiting. Whoever has
  // something else to do meanwhile hands it over.
  virtual bool holds_write() const = 0;
  virtual void hand_over() = 0;
};

struct RealDiskOptions {
  KernelRing ring = KernelRing::reads;
  InlineWriteLimits inline_writes{};
};
// unsupported, where the kernel or its policy refuses an io_uring that is asked for.
Result<std::unique_ptr<RealDisk>> make_real_disk(const RealDiskOptions& options);

}  // namespace weir::runtime
