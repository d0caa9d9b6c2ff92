#include "storage/checkpoint_writer.h"

#include <utility>

#include "base/assert.h"
#include "base/log.h"

namespace weir::storage {
namespace {

constexpr std::uint64_t retry_ns = 1'000'000'000;

}  // namespace

CheckpointWriter::CheckpointWriter(runtime::Disk& disk, std::string directory, FileTable& table,
                                   LogFiles& files, Segments& segments, Cleaner& cleaner, const Clock& clock)
    : disk_(disk),
      directory_(std::move(directory)),
      table_(table),
      files_(files),
      segments_(segments),
      cleaner_(cleaner),
      clock_(clock) {}

bool CheckpointWriter::may_begin() const {
  return stage_ == Stage::none && !writing_ && !stopped_ &&
         (retry_at_ns_ == 0 || clock_.monotonic_ns() >= retry_at_ns_);
}

void CheckpointWriter::begin() {
  WEIR_ASSERT(may_begin());
  stage_ = Stage::telling;
  cleaner_.choose_victims();
  from_ = files_.append_file().start;
  const Superblock& superblock = files_.superblock();
  generation_ = superblock.checkpoint + (superblock.has_checkpoint ? 1 : 0);
  // What it does not tell of has no listing after it: each file that is left behind gets one, if it is an empty one.
  files_.for_each_unlisted(
      from_, [this](const LogFile& file) { listings_.emplace(file.slot, OpenListing{file.start, {}}); });
  // And the segments whose listings the last start found damaged or gone.
  for (const auto& file : segments_.files()) {
    if (!file->listed && !file->making) listings_.emplace(file->slot, OpenListing{file->start, {}});
  }
}

void CheckpointWriter::begin_queue(QueueId queue, Seq next) {
  WEIR_ASSERT(stage_ == Stage::telling);
  queue_ = queue;
  builder_.begin_queue(queue, next);
}

bool CheckpointWriter::message(Seq seq, Location location, bool redelivered, std::uint32_t deliveries,
                               Bytes attributes) {
  builder_.add(seq, redelivered, deliveries);
  const LogFile& file = table_.at(location.slot());
  if (file.victim) cleaner_.add(queue_, seq, location, attributes);
  if (file.listed) return true;
  if (!file.segment && file.start >= from_) return false;
  const auto listing = listings_.find(location.slot());
  WEIR_ASSERT(listing != listings_.end() && listing->second.file_start == file.start);
  listing->second.builder.add({queue_, seq, location.offset(), location.bytes(), attributes});
  return true;
}

void CheckpointWriter::finish(Lsn end) {
  WEIR_ASSERT(stage_ == Stage::telling);
  stage_ = Stage::waiting;
  to_ = end;
  cleaner_.walk_ended(true);
}

void CheckpointWriter::tend(Lsn durable) {
  if (stage_ != Stage::waiting || durable < to_ || stopped_) return;
  stage_ = Stage::listings;
  to_ = durable;
  for (auto& [slot, listing] : listings_) {
    // The file may have been given back since.
    const LogFile* const file = table_.find(slot, listing.file_start);
    if (file == nullptr || file->dead(to_)) continue;
    pending_.push_back({file->start, slot, listing.builder.finish(file->start)});
  }
  listings_.clear();
  write_next();
}

void CheckpointWriter::write_next() {
  if (stage_ == Stage::listings && pending_.empty()) {
    stage_ = Stage::copies;
    // The files that become segments are named after the ones that are.
    CheckpointHeader header{generation_, from_, to_, segments_.name_in(generation_, to_)};
    files_.for_each_before(from_, [&](const LogFile& file) {
      if (!file.dead(to_)) header.segments.push_back({file.start, file.bytes});
    });
    contents_ = builder_.finish(header);
    last_bytes_ = contents_.size();
    copies_written_ = 0;
  }
  writing_ = true;
  if (stage_ == Stage::listings) {
    listing_in_hand_ = std::move(pending_.front());
    pending_.pop_front();
    disk_.write_file(listing_path(directory_, listing_in_hand_->file_start),
                     std::move(listing_in_hand_->contents), *this);
    return;
  }
  disk_.write_file(checkpoint_path(directory_, copies_written_),
                   copies_written_ == 0 ? contents_ : std::move(contents_), *this);
}

// Its file may have been given back while it was written.
void CheckpointWriter::listing_written(bool whole) {
  const PendingListing done = std::move(*std::exchange(listing_in_hand_, std::nullopt));
  if (!whole) return;
  if (LogFile* const file = table_.find(done.slot, done.file_start)) {
    file->listed = true;
  } else {
    files_.remove_file(listing_path(directory_, done.file_start));
  }
}

void CheckpointWriter::on_io(std::int64_t result) {
  writing_ = false;
  if (stopped_) return;
  const bool listing = listing_in_hand_.has_value();
  if (listing) listing_written(result >= 0);
  if (std::exchange(given_up_, false)) return;
  if (result < 0) return failed(result);
  if (listing) return write_next();
  if (++copies_written_ < 2) return write_next();
  const std::uint64_t generation = generation_;
  const Lsn from = from_, to = to_;
  clear();
  retry_at_ns_ = 0;
  ++written_;
  files_.begin_at_checkpoint(from, generation, to,
                             [this](std::unique_ptr<LogFile> file) { segments_.add(std::move(file)); });
  segments_.recorded_in(generation);
}

void CheckpointWriter::failed(std::int64_t result) {
  log_warning("journal", "a checkpoint can't be written: {}",
              errno_error(static_cast<int>(-result), "checkpoint").message);
  retry_at_ns_ = clock_.monotonic_ns() + retry_ns;
  clear();
}

void CheckpointWriter::give_up() {
  if (stage_ == Stage::none) return;
  if (stage_ == Stage::telling) cleaner_.walk_ended(false);
  given_up_ = writing_;
  clear();
}

void CheckpointWriter::clear() {
  stage_ = Stage::none;
  builder_ = CheckpointBuilder();
  listings_.clear();
  pending_.clear();
  contents_ = {};
}

}  // namespace weir::storage
