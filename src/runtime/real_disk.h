// What it is: the real disks, as the loop makes them. Private to runtime.
#pragma once

#include <memory>

#include "base/error.h"
#include "runtime/disk.h"

namespace weir::runtime {

class RealDisk : public Disk {
 public:
  // An eventfd that is written when poll() has something to do. Nobody needs to read it (edge-triggered).
  virtual int event() const = 0;
};

// Errors: unsupported, where the kernel or its policy refuses io_uring.
Result<std::unique_ptr<RealDisk>> make_uring_disk();
std::unique_ptr<RealDisk> make_thread_disk();

}  // namespace weir::runtime
