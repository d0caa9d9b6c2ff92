// What it is: whether a durable write is handed to others (the kernel's workers, a helper thread) or made on the shard's
// own thread. Handing it over and being woken costs two changes of threads; a small write on a fast disk takes less. So
// a shard whose writes are small and alone at the disk makes them itself. A slow one ends that, and so does a larger one
// or one beside another, which is what a busy shard has; writes that are handed over show when to begin again.
// Private to runtime.
// Shard: of its disk, on its thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "runtime/posix_disk.h"

namespace weir::runtime {

class InlineWrites {
 public:
  // A slow write made here doubles how many proofs are needed, up to this; so many fast ones forgive it.
  static constexpr unsigned proofs_max = 64;
  static constexpr unsigned forgiven_after = 64;

  InlineWrites(const Clock& clock, InlineWriteLimits limits)
      : clock_(clock), limits_(limits), proofs_needed_(limits.proofs) {}

  // A write was submitted; `alone` at the disk. True: it is to be made here.
  bool submitted(const IoRequest& request, std::size_t bytes, bool alone);
  // Blocks. A byte count or -errno.
  std::int64_t make(const DiskJob& write);

  // A request that was handed over has completed.
  void completed(const IoRequest& request);

 private:
  bool fast_since(std::uint64_t begun_ns) const {
    return clock_.monotonic_ns() - begun_ns <= limits_.fast_ns;
  }

  const Clock& clock_;
  const InlineWriteLimits limits_;
  unsigned proofs_ = 0;
  unsigned proofs_needed_;
  unsigned made_fast_ = 0;               // here, in a row
  const IoRequest* measured_ = nullptr;  // handed over, small and alone
  std::uint64_t begun_ns_ = 0;
};

}  // namespace weir::runtime
