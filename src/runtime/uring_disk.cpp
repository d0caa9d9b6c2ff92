#include <liburing.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <memory>
#include <utility>

#include "base/assert.h"
#include "runtime/disk_threads.h"
#include "runtime/inline_writes.h"
#include "runtime/loop.h"
#include "runtime/posix_disk.h"

namespace weir::runtime {
namespace {

constexpr unsigned ring_entries = 256;

// Reads and durable writes by io_uring; what changes names, by a thread.
class UringDisk final : public PosixDisk {
 public:
  explicit UringDisk(InlineWriteLimits limits) : inline_(system_clock(), limits) {}
  ~UringDisk() override;
  // 0 or -errno.
  int begin();

  void write_durable(FileHandle file, std::uint64_t offset, Bytes data, IoRequest& request) override {
    queue({.write = true,
           .descriptor = file.value,
           .offset = offset,
           .bytes = data.size(),
           .address = const_cast<std::byte*>(data.data()),
           .request = &request});
  }
  void read(FileHandle file, std::uint64_t offset, MutableBytes into, IoRequest& request) override {
    queue({.write = false,
           .descriptor = file.value,
           .offset = offset,
           .bytes = into.size(),
           .address = into.data(),
           .request = &request});
  }
  void prepare_file(std::string path, std::uint64_t bytes, IoRequest& request) override {
    DiskJob& job = queue_name(name_jobs_, DiskJob::Kind::prepare, request, std::move(path));
    job.bytes = bytes;
  }
  void rename_file(std::string from, std::string to, IoRequest& request) override {
    queue_name(name_jobs_, DiskJob::Kind::rename, request, std::move(from)).to = std::move(to);
  }
  void remove_file(std::string path, IoRequest& request) override {
    queue_name(removals_, DiskJob::Kind::remove, request, std::move(path));
  }
  void write_file(std::string path, std::vector<std::byte> contents, IoRequest& request) override {
    queue_name(name_jobs_, DiskJob::Kind::write_file, request, std::move(path)).contents =
        std::move(contents);
  }
  void submit() override;
  std::size_t poll() override;
  std::size_t in_flight() const override { return in_ring_ + waiting_.size() + names_in_flight_; }
  int event() const override { return event_; }
  bool holds_write() const override { return held_; }
  void hand_over() override;

 private:
  struct Transfer {
    bool write = false;
    int descriptor = -1;
    std::uint64_t offset = 0;
    std::size_t bytes = 0;
    std::byte* address = nullptr;
    IoRequest* request = nullptr;
  };

  void queue(const Transfer& transfer) { waiting_.push_back(transfer); }
  DiskJob& queue_name(std::vector<DiskJob>& jobs, DiskJob::Kind kind, IoRequest& request, std::string path) {
    ++names_in_flight_;
    DiskJob& job = jobs.emplace_back();
    job.kind = kind;
    job.request = &request;
    job.path = std::move(path);
    return job;
  }
  static DiskJob job_of(const Transfer& write) {
    DiskJob job;
    job.kind = DiskJob::Kind::write;
    job.descriptor = write.descriptor;
    job.offset = write.offset;
    job.data = Bytes(write.address, write.bytes);
    return job;
  }
  bool hold();
  void enter();
  std::size_t make_held();
  std::size_t poll_names();

  io_uring ring_{};
  bool ring_made_ = false;
  int event_ = -1;
  std::deque<Transfer> waiting_;  // not in the ring yet
  bool held_ = false;             // the first of them was submitted: poll() makes it
  InlineWrites inline_;
  std::size_t in_ring_ = 0;
  std::vector<DiskJob> name_jobs_;
  std::vector<DiskJob> removals_;
  std::vector<DiskJob> name_jobs_done_;
  std::size_t names_in_flight_ = 0;
  std::unique_ptr<DiskThreads> thread_;
  std::unique_ptr<DiskThreads> remove_thread_;  // takes its time
};

int UringDisk::begin() {
  event_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (event_ < 0) return -errno;
  thread_ = std::make_unique<DiskThreads>(1, event_);
  remove_thread_ = std::make_unique<DiskThreads>(1, event_);
  // The completion's work may wait until this thread enters the kernel anyway, instead of interrupting it.
  int result = ::io_uring_queue_init(ring_entries, &ring_, IORING_SETUP_COOP_TASKRUN);
  if (result == -EINVAL) result = ::io_uring_queue_init(ring_entries, &ring_, 0);
  if (result < 0) return result;
  ring_made_ = true;
  return ::io_uring_register_eventfd(&ring_, event_);
}

UringDisk::~UringDisk() {
  if (held_) inline_.make(job_of(waiting_.front()));
  if (thread_ != nullptr) thread_->push(name_jobs_);
  if (remove_thread_ != nullptr) remove_thread_->push(removals_);
  thread_.reset();
  remove_thread_.reset();
  while (in_ring_ > 0) {
    io_uring_cqe* completion = nullptr;
    if (::io_uring_wait_cqe(&ring_, &completion) != 0) continue;
    ::io_uring_cqe_seen(&ring_, completion);
    --in_ring_;
  }
  if (ring_made_) ::io_uring_queue_exit(&ring_);
  if (event_ >= 0) ::close(event_);
}

void UringDisk::submit() {
  thread_->push(name_jobs_);
  remove_thread_->push(removals_);
  held_ = hold();
  if (!held_) hand_over();
}

void UringDisk::hand_over() {
  held_ = false;
  while (!waiting_.empty() && in_ring_ < ring_entries) {
    io_uring_sqe* const entry = ::io_uring_get_sqe(&ring_);
    if (entry == nullptr) {
      enter();
      continue;
    }
    const Transfer& transfer = waiting_.front();
    const auto bytes = static_cast<unsigned>(transfer.bytes);
    if (transfer.write) {
      ::io_uring_prep_write(entry, transfer.descriptor, transfer.address, bytes, transfer.offset);
      entry->rw_flags = RWF_DSYNC;
    } else {
      ::io_uring_prep_read(entry, transfer.descriptor, transfer.address, bytes, transfer.offset);
    }
    ::io_uring_sqe_set_data(entry, transfer.request);
    ++in_ring_;
    waiting_.pop_front();
  }
  if (::io_uring_sq_ready(&ring_) > 0) enter();
}

// True: the write that was queued is alone at the disk, and poll() makes it.
bool UringDisk::hold() {
  if (waiting_.empty() || !waiting_.back().write) return false;
  const auto& write = waiting_.back();
  return inline_.submitted(*write.request, write.bytes, in_flight() == 1);
}

void UringDisk::enter() {
  for (;;) {
    const int result = ::io_uring_submit(&ring_);
    if (result >= 0) return;
    // EAGAIN and EBUSY pass when requests complete, which they do without us.
    WEIR_ASSERT(result == -EINTR || result == -EAGAIN || result == -EBUSY);
  }
}

std::size_t UringDisk::poll() {
  std::size_t count = make_held();
  count += poll_names();
  io_uring_cqe* completion = nullptr;
  while (::io_uring_peek_cqe(&ring_, &completion) == 0) {
    auto* const request = static_cast<IoRequest*>(::io_uring_cqe_get_data(completion));
    const std::int64_t result = completion->res;
    ::io_uring_cqe_seen(&ring_, completion);
    --in_ring_;
    ++count;
    inline_.completed(*request);
    request->on_io(result);
  }
  return count;
}

std::size_t UringDisk::make_held() {
  if (!std::exchange(held_, false)) return 0;
  const Transfer write = waiting_.front();
  waiting_.pop_front();
  write.request->on_io(inline_.make(job_of(write)));
  return 1;
}

std::size_t UringDisk::poll_names() {
  if (names_in_flight_ == 0) return 0;
  thread_->take(name_jobs_done_);
  remove_thread_->take(name_jobs_done_);
  const std::size_t count = name_jobs_done_.size();
  for (std::size_t i = 0; i < count; ++i) {
    --names_in_flight_;
    name_jobs_done_[i].request->on_io(name_jobs_done_[i].result);
  }
  name_jobs_done_.clear();
  return count;
}

}  // namespace

Result<std::unique_ptr<RealDisk>> make_uring_disk(InlineWriteLimits limits) {
  auto disk = std::make_unique<UringDisk>(limits);
  if (const int result = disk->begin(); result < 0) {
    Error error = errno_error(-result, "io_uring");
    error.code = ErrorCode::unsupported;
    return std::unexpected(std::move(error));
  }
  return disk;
}

}  // namespace weir::runtime
