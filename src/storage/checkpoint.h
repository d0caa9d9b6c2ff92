// What it is: what of a shard's queues a start needs to know instead of the log before `from`: which messages are there,
// and which files besides the log hold them. Where in those files each one is, their listings tell (storage/listing.h).
// Pure functions over bytes (docs/formats/checkpoint.md).
// It is made while the shard works on, queue by queue: what it says of a queue is true at some moment between `from` and
// `to`. The log from `from` on brings all of it to one moment: an enqueue of a seq below the queue's `next` says only
// where the message is, if it is still there, and settling twice changes nothing.
//
//   0 u32 magic "WJC1"   4 u16 version   6 u16 zero
//   8 u64 generation   16 u64 from   24 u64 to: the log was durable up to here when it was written
//  32 u32 segments   36 u32 queues
//  40 segments: u64 start, u64 bytes
//     queues: u32 queue, varint next seq, varint count of runs; a run:
//       varint seq - end of the last run, varint count * 4 + 2 (deliveries follow) + 1 (redelivered), [varint deliveries]
//     u32 crc32c of all bytes before it
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/ids.h"
#include "runtime/disk.h"

namespace weir::storage {

struct SegmentName {
  Lsn start;
  std::uint64_t bytes = 0;
  bool operator==(const SegmentName&) const = default;
};

struct CheckpointHeader {
  std::uint64_t generation = 0;
  Lsn from, to;
  std::vector<SegmentName> segments;
};

// Messages of a queue that are there, one after the other and alike.
struct CheckpointRun {
  Seq first;
  std::uint64_t count = 0;
  bool redelivered = false;
  std::uint32_t deliveries = 0;
};

class CheckpointBuilder {
 public:
  // `next`: the queue's next seq when it was begun; messages from there on are not told.
  void begin_queue(QueueId queue, Seq next);
  // Ascending, below `next`.
  void add(Seq seq, bool redelivered, std::uint32_t deliveries, std::uint64_t count = 1);
  std::size_t bytes() const { return out_.size(); }
  // The bytes of the checkpoint's file. The builder is empty then.
  std::vector<std::byte> finish(const CheckpointHeader& header);

 private:
  void end_run();
  void end_queue();

  std::vector<std::byte> out_;   // queues
  std::vector<std::byte> runs_;  // of the queue
  std::uint32_t queues_ = 0;
  std::uint64_t run_count_ = 0;
  bool in_queue_ = false;
  QueueId queue_;
  Seq next_;
  Seq last_end_;
  CheckpointRun run_;
};

class CheckpointReader {
 public:
  // corrupt. Views `file`.
  static Result<CheckpointReader> open(Bytes file);
  const CheckpointHeader& header() const { return header_; }

  // False at the end, or where it is not whole (ok() tells): all runs of a queue are taken before the next queue.
  bool next_queue(QueueId& queue, Seq& next);
  bool next_run(CheckpointRun& run);
  bool ok() const { return in_.ok(); }

 private:
  explicit CheckpointReader(Bytes queues) : in_(queues) {}

  CheckpointHeader header_;
  Reader in_;
  std::uint32_t queues_left_ = 0;
  std::uint64_t runs_left_ = 0;
  std::uint64_t at_ = 0;    // end of the last run
  std::uint64_t next_ = 0;  // of the queue
};

// Both copies say the same; `copy` is 0 or 1.
std::string checkpoint_path(const std::string& directory, int copy);

}  // namespace weir::storage
