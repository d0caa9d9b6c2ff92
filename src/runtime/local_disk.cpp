#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "base/assert.h"
#include "runtime/disk_ring.h"
#include "runtime/disk_threads.h"
#include "runtime/inline_writes.h"
#include "runtime/loop.h"
#include "runtime/posix_disk.h"

namespace weir::runtime {
namespace {

// As many durable writes as the journal has in flight proceed side by side.
constexpr std::size_t write_threads_max = 2;
// What is read ahead of a consumer keeps several requests at the disk.
constexpr std::size_t read_threads_max = 4;

class EventDescriptor {
 public:
  EventDescriptor() : value_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { WEIR_ASSERT(value_ >= 0); }
  EventDescriptor(const EventDescriptor&) = delete;
  EventDescriptor& operator=(const EventDescriptor&) = delete;
  ~EventDescriptor() { ::close(value_); }
  int get() const { return value_; }

 private:
  int value_;
};

// Durable writes and reads go by io_uring or by threads, each as wanted. What changes names has a thread of its own, so that
// a long prepare_file delays neither a commit nor a read, and so have removals, which take their time.
class LocalDisk final : public PosixDisk {
 public:
  explicit LocalDisk(const RealDiskOptions& options)
      : ring_(options.ring), inline_(system_clock(), options.inline_writes) {}
  ~LocalDisk() override {
    if (held_) inline_.make(writes_.front());
  }
  Status begin() {
    if (ring_ == KernelRing::no) return {};
    Result<std::unique_ptr<DiskRing>> made = DiskRing::make(event_.get());
    if (!made) return std::unexpected(std::move(made.error()));
    kernel_ = std::move(*made);
    return {};
  }

  void write_durable(FileHandle file, std::uint64_t offset, Bytes data, IoRequest& request) override {
    DiskJob& job = queue(writes_, DiskJob::Kind::write, request);
    job.descriptor = file.value;
    job.offset = offset;
    job.data = data;
  }
  void read(FileHandle file, std::uint64_t offset, MutableBytes into, IoRequest& request) override {
    DiskJob& job = queue(reads_, DiskJob::Kind::read, request);
    job.descriptor = file.value;
    job.offset = offset;
    job.into = into;
  }
  void prepare_file(std::string path, std::uint64_t bytes, IoRequest& request) override {
    DiskJob& job = queue(names_, DiskJob::Kind::prepare, request);
    job.path = std::move(path);
    job.bytes = bytes;
  }
  void rename_file(std::string from, std::string to, IoRequest& request) override {
    DiskJob& job = queue(names_, DiskJob::Kind::rename, request);
    job.path = std::move(from);
    job.to = std::move(to);
  }
  void remove_file(std::string path, IoRequest& request) override {
    queue(removals_, DiskJob::Kind::remove, request).path = std::move(path);
  }
  void write_file(std::string path, std::vector<std::byte> contents, IoRequest& request) override {
    DiskJob& job = queue(names_, DiskJob::Kind::write_file, request);
    job.path = std::move(path);
    job.contents = std::move(contents);
  }
  void submit() override {
    held_ = hold();
    if (!held_) hand_over();
  }
  std::size_t poll() override;
  std::size_t in_flight() const override { return in_flight_; }
  int event() const override { return event_.get(); }
  bool holds_write() const override { return held_; }
  void hand_over() override;

 private:
  bool hold();
  std::size_t make_held();
  DiskJob& queue(std::vector<DiskJob>& jobs, DiskJob::Kind kind, IoRequest& request) {
    ++in_flight_;
    DiskJob& job = jobs.emplace_back();
    job.kind = kind;
    job.request = &request;
    return job;
  }
  void complete(IoRequest& request, std::int64_t result) {
    --in_flight_;
    inline_.completed(request);
    request.on_io(result);
  }

  const KernelRing ring_;
  EventDescriptor event_;
  std::vector<DiskJob> writes_;
  std::vector<DiskJob> reads_;
  std::vector<DiskJob> names_;
  std::vector<DiskJob> removals_;
  std::vector<DiskJob> done_;
  std::size_t in_flight_ = 0;
  bool held_ = false;  // the first of writes_ was submitted: poll() makes it
  InlineWrites inline_;
  std::unique_ptr<DiskRing> kernel_;
  DiskThreads write_threads_{write_threads_max, event_.get()};
  DiskThreads read_threads_{read_threads_max, event_.get()};
  DiskThreads name_thread_{1, event_.get()};
  DiskThreads remove_thread_{1, event_.get()};
};

// True: the write that was queued is alone at the disk, and poll() makes it.
bool LocalDisk::hold() {
  if (writes_.empty()) return false;
  const auto& write = writes_.back();
  return inline_.submitted(*write.request, write.data.size(), in_flight_ == 1);
}

void LocalDisk::hand_over() {
  held_ = false;
  if (ring_ == KernelRing::all) kernel_->push(writes_);
  if (ring_ != KernelRing::no) {
    kernel_->push(reads_);
    kernel_->enter();
  }
  write_threads_.push(writes_);
  read_threads_.push(reads_);
  name_thread_.push(names_);
  remove_thread_.push(removals_);
}

std::size_t LocalDisk::make_held() {
  if (!std::exchange(held_, false)) return 0;
  const DiskJob write = std::move(writes_.front());
  writes_.erase(writes_.begin());
  --in_flight_;
  write.request->on_io(inline_.make(write));
  return 1;
}

std::size_t LocalDisk::poll() {
  std::size_t count = make_held();
  if (in_flight_ == 0) return count;
  write_threads_.take(done_);
  read_threads_.take(done_);
  name_thread_.take(done_);
  remove_thread_.take(done_);
  count += done_.size();
  for (const DiskJob& job : done_) complete(*job.request, job.result);
  done_.clear();
  if (kernel_ == nullptr) return count;
  kernel_->take([&](IoRequest& request, std::int64_t result) {
    ++count;
    complete(request, result);
  });
  return count;
}

}  // namespace

Result<std::unique_ptr<RealDisk>> make_real_disk(const RealDiskOptions& options) {
  auto disk = std::make_unique<LocalDisk>(options);
  WEIR_TRY(disk->begin());
  return disk;
}

}  // namespace weir::runtime
