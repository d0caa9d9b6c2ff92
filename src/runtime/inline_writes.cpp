#include "runtime/inline_writes.h"

#include <algorithm>

namespace weir::runtime {

std::int64_t InlineWrites::make(const DiskJob& write) {
  const std::uint64_t begun_ns = clock_.monotonic_ns();
  const std::int64_t result = carry_out(write);
  if (fast_since(begun_ns)) {
    if (++made_fast_ == forgiven_after) proofs_needed_ = limits_.proofs;
  } else {
    made_fast_ = 0;
    proofs_ = 0;
    proofs_needed_ = std::min(std::max(proofs_needed_, 1U) * 2, std::max(proofs_max, limits_.proofs));
  }
  return result;
}

bool InlineWrites::submitted(const IoRequest& request, std::size_t bytes, bool alone) {
  if (!alone || bytes > limits_.bytes_max) {
    proofs_ = 0;
    measured_ = nullptr;
    return false;
  }
  if (proofs_ >= proofs_needed_) return true;
  measured_ = &request;
  begun_ns_ = clock_.monotonic_ns();
  return false;
}

void InlineWrites::completed(const IoRequest& request) {
  if (measured_ != &request) return;
  measured_ = nullptr;
  if (fast_since(begun_ns_)) {
    proofs_ = std::min(proofs_ + 1, proofs_needed_);
  } else {
    proofs_ = 0;
  }
}

}  // namespace weir::runtime
