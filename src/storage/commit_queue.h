// What it is: closed batches on their way to the disk, in order: sealed when a place in flight is free (so that the
// header's durable_lsn is as late as can be), written, and durable only when all before them are. Writes complete in
// any order.
// Shard: of its journal, on its thread.
// Errors: the first failed or short write is final; nothing becomes durable after it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/log_histogram.h"
#include "runtime/disk.h"
#include "storage/log_files.h"
#include "storage/record.h"

namespace weir::storage {

inline constexpr unsigned commits_in_flight_limit = 8;

struct ClosedBatch {
  std::byte* at = nullptr;  // in the tail cache, which keeps it until it is durable
  Lsn lsn;
  Lsn next;  // where the log goes on
  std::uint32_t bytes = 0;
  std::uint32_t records = 0;
  std::uint32_t crc_records = 0;
  std::uint32_t slot = 0;  // of its file
  std::uint16_t flags = 0;
};

class CommitEvents {
 public:
  virtual void on_committed(Lsn durable) = 0;
  virtual void on_commit_failed(const Error& error) = 0;

 protected:
  ~CommitEvents() = default;
};

class CommitQueue {
 public:
  struct Options {
    unsigned in_flight_max = 2;
    std::uint32_t incarnation = 0;
    std::uint32_t salt = 0;
    Lsn durable;
    const Clock* clock = nullptr;
  };
  struct Counts {
    std::uint64_t commits = 0, bytes = 0, ns_total = 0, ns_max = 0;
    LogHistogram us, bytes_each;
  };
  CommitQueue(runtime::Disk& disk, const FileTable& table, LogFiles& files, Options options,
              CommitEvents& events);
  CommitQueue(const CommitQueue&) = delete;
  CommitQueue& operator=(const CommitQueue&) = delete;

  void push(const ClosedBatch& batch) {
    waiting_.push_back(batch);
    pending_bytes_ += batch.bytes;
  }
  // The last batch, if it was not begun yet: its flags can still change.
  ClosedBatch* last_waiting() { return waiting_.empty() ? nullptr : &waiting_.back(); }
  // Begins what there are places and files for.
  void submit();
  void stop() { failed_ = true; }

  bool has_place() const { return in_flight_ < options_.in_flight_max && waiting_.empty(); }
  bool idle() const { return in_flight_ == 0 && waiting_.empty(); }
  // The next batch waits for its file.
  bool blocked() const { return !waiting_.empty() && !table_.at(waiting_.front().slot).ready(); }
  // Writes that the disk still has in hand, also after a failure.
  unsigned in_disk() const { return in_disk_; }
  Lsn durable() const { return durable_; }
  // What recovery would know to be durable from the batches' headers.
  Lsn known_durable() const { return known_durable_; }
  std::uint64_t pending_bytes() const { return pending_bytes_; }
  // How long the oldest commit in flight has been there; 0: there is none.
  std::uint64_t age_ns() const { return in_flight_ == 0 ? 0 : now_ns() - commits_[first_].begun_ns; }
  const Counts& counts() const { return counts_; }

 private:
  struct Commit final : runtime::IoRequest {
    CommitQueue* owner = nullptr;
    Lsn next;
    Lsn known_durable;
    std::uint32_t bytes = 0;
    std::uint64_t begun_ns = 0;
    bool done = false;
    void on_io(std::int64_t result) override { owner->on_written(*this, result); }
  };

  void write(const ClosedBatch& batch);
  void on_written(Commit& commit, std::int64_t result);
  std::uint64_t now_ns() const { return options_.clock->monotonic_ns(); }

  runtime::Disk& disk_;
  const FileTable& table_;
  LogFiles& files_;
  Options options_;
  CommitEvents& events_;
  std::deque<ClosedBatch> waiting_;
  std::array<Commit, commits_in_flight_limit> commits_;  // a ring: first_ is the oldest
  unsigned first_ = 0;
  unsigned in_flight_ = 0;
  unsigned in_disk_ = 0;  // also those that nobody awaits any more after a failure
  std::uint64_t batches_ = 0;
  Lsn durable_;
  Lsn known_durable_;
  std::uint64_t pending_bytes_ = 0;
  Counts counts_;
  bool failed_ = false;
};

}  // namespace weir::storage
