#include "storage/commit_queue.h"

#include <algorithm>

#include "base/assert.h"

namespace weir::storage {

CommitQueue::CommitQueue(runtime::Disk& disk, const FileTable& table, LogFiles& files, Options options,
                         CommitEvents& events)
    : disk_(disk),
      table_(table),
      files_(files),
      options_(options),
      events_(events),
      durable_(options.durable),
      known_durable_(options.durable) {
  options_.in_flight_max = std::clamp(options_.in_flight_max, 1U, commits_in_flight_limit);
  for (Commit& commit : commits_) commit.owner = this;
}

void CommitQueue::submit() {
  while (!failed_ && in_flight_ < options_.in_flight_max && !waiting_.empty() && !blocked()) {
    const ClosedBatch batch = waiting_.front();
    waiting_.pop_front();
    write(batch);
  }
}

void CommitQueue::write(const ClosedBatch& batch) {
  BatchHeader header;
  header.flags = batch.flags;
  header.lsn = batch.lsn;
  header.durable_lsn = durable_;
  header.bytes = batch.bytes;
  header.records = batch.records;
  header.incarnation = options_.incarnation;
  header.index = batches_++;
  header.crc_records = batch.crc_records;
  encode_batch_header(header, batch.at, options_.salt);

  Commit& commit = commits_[(first_ + in_flight_) % commits_.size()];
  ++in_flight_;
  ++in_disk_;
  commit.next = batch.next;
  commit.known_durable = durable_;
  commit.bytes = batch.bytes;
  commit.begun_ns = now_ns();
  commit.done = false;
  const LogFile& file = table_.at(batch.slot);
  disk_.write_durable(file.handle, batch.lsn.value - file.start.value, Bytes(batch.at, batch.bytes), commit);
}

void CommitQueue::on_written(Commit& commit, std::int64_t result) {
  --in_disk_;
  if (failed_) return;
  if (result != static_cast<std::int64_t>(commit.bytes)) {
    failed_ = true;
    events_.on_commit_failed(result < 0
                                 ? errno_error(static_cast<int>(-result), "journal write")
                                 : Error{ErrorCode::io_error, "journal write: fewer bytes than were given"});
    return;
  }
  commit.done = true;
  const std::uint64_t took_ns = now_ns() - commit.begun_ns;
  counts_.ns_total += took_ns;
  counts_.ns_max = std::max(counts_.ns_max, took_ns);
  counts_.us.add(took_ns / 1'000);
  counts_.bytes_each.add(commit.bytes);
  const Lsn before = durable_;
  while (in_flight_ > 0 && commits_[first_].done) {
    Commit& oldest = commits_[first_];
    durable_ = oldest.next;
    known_durable_ = oldest.known_durable;
    pending_bytes_ -= oldest.bytes;
    ++counts_.commits;
    counts_.bytes += oldest.bytes;
    oldest.done = false;
    first_ = (first_ + 1) % commits_.size();
    --in_flight_;
  }
  if (durable_ == before) return;
  files_.set_durable(durable_);
  events_.on_committed(durable_);
}

}  // namespace weir::storage
