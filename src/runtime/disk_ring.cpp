#include "runtime/disk_ring.h"

#include <cerrno>
#include <iterator>
#include <utility>

#include "base/assert.h"

namespace weir::runtime {
namespace {

constexpr unsigned ring_entries = 256;

void prepare(const DiskJob& job, io_uring_sqe& entry) {
  if (job.kind == DiskJob::Kind::write) {
    ::io_uring_prep_write(&entry, job.descriptor, job.data.data(), static_cast<unsigned>(job.data.size()),
                          job.offset);
    entry.rw_flags = RWF_DSYNC;
  } else {
    WEIR_ASSERT(job.kind == DiskJob::Kind::read);
    ::io_uring_prep_read(&entry, job.descriptor, job.into.data(), static_cast<unsigned>(job.into.size()),
                         job.offset);
  }
  ::io_uring_sqe_set_data(&entry, job.request);
}

}  // namespace

Result<std::unique_ptr<DiskRing>> DiskRing::make(int event) {
  std::unique_ptr<DiskRing> made(new DiskRing);
  // The completion's work may wait until this thread enters the kernel anyway, instead of interrupting it.
  int result = ::io_uring_queue_init(ring_entries, &made->ring_, IORING_SETUP_COOP_TASKRUN);
  if (result == -EINVAL) result = ::io_uring_queue_init(ring_entries, &made->ring_, 0);
  made->made_ = result >= 0;
  if (result >= 0) result = ::io_uring_register_eventfd(&made->ring_, event);
  if (result >= 0) return made;
  Error error = errno_error(-result, "io_uring");
  error.code = ErrorCode::unsupported;
  return std::unexpected(std::move(error));
}

DiskRing::~DiskRing() {
  while (in_ring_ > 0) {
    io_uring_cqe* completion = nullptr;
    if (::io_uring_wait_cqe(&ring_, &completion) != 0) continue;
    ::io_uring_cqe_seen(&ring_, completion);
    --in_ring_;
  }
  if (made_) ::io_uring_queue_exit(&ring_);
}

void DiskRing::push(std::vector<DiskJob>& jobs) {
  std::move(jobs.begin(), jobs.end(), std::back_inserter(waiting_));
  jobs.clear();
}

void DiskRing::enter() {
  while (!waiting_.empty() && in_ring_ < ring_entries) {
    io_uring_sqe* const entry = ::io_uring_get_sqe(&ring_);
    if (entry == nullptr) {
      submit();
      continue;
    }
    prepare(waiting_.front(), *entry);
    waiting_.pop_front();
    ++in_ring_;
  }
  if (::io_uring_sq_ready(&ring_) > 0) submit();
}

void DiskRing::submit() {
  for (;;) {
    const int result = ::io_uring_submit(&ring_);
    if (result >= 0) return;
    // EAGAIN and EBUSY pass when requests complete, which they do without us.
    WEIR_ASSERT(result == -EINTR || result == -EAGAIN || result == -EBUSY);
  }
}

}  // namespace weir::runtime
