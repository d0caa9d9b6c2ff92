#include "storage/disk_journal.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "base/log.h"

namespace weir::storage {
namespace {

// What only rides is committed without anybody waiting from here on.
constexpr std::size_t riding_bytes_max = 64U << 10;
// Kept for settlements when no next file can be made: a quarter of the file, at least this.
constexpr std::uint64_t reserve_bytes_min = 1U << 20;

LogFiles::Options file_options(const JournalOptions& options) {
  const std::uint64_t largest = std::min(options.file_bytes_max, file_bytes_limit);
  return {options.directory, std::min(options.first_file_bytes, largest), largest, options.clock};
}

CommitQueue::Options commit_options(const JournalOptions& options, const Superblock& superblock, Lsn end) {
  return {options.commits_in_flight_max, superblock.incarnation, superblock.salt(), end, options.clock};
}

Cleaner::Options clean_options(const JournalOptions& options, const Superblock& superblock) {
  return {options.directory,
          options.clean_gain_bytes,
          options.clean_file_bytes,
          options.clean_bytes_per_second,
          std::uint64_t{options.clean_survey_ms} * 1'000'000,
          superblock.incarnation,
          superblock.salt()};
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(runtime::Disk& disk, JournalOptions options,
                                               ReplayVisitor& visitor, JournalEvents& events) {
  WEIR_ASSERT(options.clock != nullptr);
  auto recovered = recover_log(disk, options, visitor);
  if (!recovered) return std::unexpected(std::move(recovered).error());
  auto journal = std::make_unique<DiskJournal>(disk, options, std::move(*recovered), events);
  WEIR_TRY(journal->start());
  return journal;
}

DiskJournal::DiskJournal(runtime::Disk& disk, const JournalOptions& options, RecoveredLog recovered,
                         JournalEvents& events)
    : disk_(disk),
      events_(events),
      options_(options),
      report_(recovered.report),
      files_(disk, file_options(options), table_, std::move(recovered.files), *this),
      segments_(disk, table_, files_, std::move(recovered.segments)),
      cleaner_(disk, clean_options(options, files_.superblock()), table_, files_, segments_, events,
               *options.clock),
      scrubber_(disk,
                {options.directory, options.scrub_bytes_per_second, options.scrub_interval_ms,
                 files_.superblock().salt()},
                table_, files_, segments_, *options.clock),
      checkpoint_(disk, options.directory, table_, files_, segments_, cleaner_, *options.clock),
      tail_(options.cache_bytes),
      commits_(disk, table_, files_, commit_options(options, files_.superblock(), report_.end), *this),
      read_cache_(disk, table_, files_, options.read_cache_bytes),
      batch_lsn_(report_.end),
      last_content_end_(report_.end) {}

// The disk holds requests of ours and writes from our memory until they are done.
DiskJournal::~DiskJournal() {
  files_.stop();
  checkpoint_.stop();
  cleaner_.stop();
  scrubber_.stop();
  commits_.stop();
  read_cache_.cancel_all();
  while ((commits_.in_disk() > 0 || read_cache_.in_disk() > 0 || files_.busy() || checkpoint_.in_disk() ||
          cleaner_.in_disk() || scrubber_.in_disk()) &&
         disk_.in_flight() > 0) {
    disk_.submit();
    if (disk_.poll() == 0) std::this_thread::yield();
  }
}

Journal::Space DiskJournal::append(RecordType type, std::uint8_t flags, QueueId queue, Seq seq,
                                   std::size_t extension_bytes, std::size_t payload_bytes, Urgency urgency) {
  const std::size_t span = record_span_of(extension_bytes, payload_bytes);
  WEIR_ASSERT(unfinished_ == nullptr);
  if (used_ + span > limit_) [[unlikely]] {
    open_batch(span);
  }
  WEIR_ASSERT(extension_bytes <= extension_bytes_max);
  std::byte* at = batch_ + used_;
  std::memset(at + span - record_alignment, 0, record_alignment);  // the padding, before what may lie over it
  put_record_header(type, flags, queue, seq, extension_bytes, payload_bytes, at);
  unfinished_ = at;
  unfinished_span_ = span;
  if (urgency == Urgency::wait) somebody_waits_ = true;
  return {MutableBytes(at + record_header_bytes, extension_bytes + payload_bytes),
          Location(batch_slot_, batch_file_offset_ + used_, span)};
}

void DiskJournal::finish() {
  std::byte* at = unfinished_;
  WEIR_ASSERT(at != nullptr);
  batch_crc_.add(put_record_crc(at));
  ++batch_records_;
  used_ += unfinished_span_;
  unfinished_ = nullptr;
}

// A batch is one commit.
void DiskJournal::begin_together(std::size_t bytes) {
  WEIR_ASSERT(unfinished_ == nullptr);
  if (used_ + bytes > limit_) open_batch(bytes);
}

void DiskJournal::open_batch(std::size_t span) {
  WEIR_ASSERT(!closed_ && span <= together_bytes_max);
  if (used_ > 0) close_batch();
  const std::size_t need = align_up(batch_header_bytes + span, batch_alignment);
  while (files_.append_file().end().value - batch_lsn_.value < need) {
    leave_file();
    files_.advance(need);
    batch_lsn_ = files_.append_file().start;
  }
  const LogFile& file = files_.append_file();
  const TailCache::Place place = tail_.place(batch_lsn_, need, durable());
  const std::uint64_t file_rest = file.end().value - batch_lsn_.value;
  const std::uint64_t usual = std::max<std::uint64_t>(options_.batch_bytes_max, batch_alignment);
  batch_ = place.at;
  used_ = batch_header_bytes;
  limit_ = std::max<std::uint64_t>(need, std::min<std::uint64_t>({usual, place.room, file_rest}));
  batch_slot_ = file.slot;
  batch_file_offset_ = batch_lsn_.value - file.start.value;
}

void DiskJournal::close_batch() {
  const std::size_t bytes = align_up(used_, batch_alignment);
  std::memset(batch_ + used_, 0, bytes - used_);
  tail_.close(bytes);
  ClosedBatch closed;
  closed.at = batch_;
  closed.lsn = batch_lsn_;
  closed.next = Lsn{batch_lsn_.value + bytes};
  closed.bytes = static_cast<std::uint32_t>(bytes);
  closed.records = batch_records_;
  closed.crc_records = batch_crc_.take();
  closed.slot = batch_slot_;
  commits_.push(closed);
  counts_.records += batch_records_;
  counts_.padding_bytes += bytes - used_;
  batch_lsn_ = closed.next;
  last_content_end_ = closed.next;
  used_ = limit_ = 0;
  batch_records_ = 0;
  somebody_waits_ = false;
}

// The rest of the file stays unused: the last batch says so, or if it is on its way already, one without records.
void DiskJournal::leave_file() {
  const LogFile& file = files_.append_file();
  if (batch_lsn_ == file.end()) return;
  ClosedBatch* last = commits_.last_waiting();
  if (last == nullptr || last->next != batch_lsn_ || last->slot != file.slot) {
    const TailCache::Place place = tail_.place(batch_lsn_, batch_alignment, durable());
    std::memset(place.at, 0, batch_alignment);
    tail_.close(batch_alignment);
    ClosedBatch end;
    end.at = place.at;
    end.lsn = batch_lsn_;
    end.bytes = static_cast<std::uint32_t>(batch_alignment);
    end.slot = file.slot;
    commits_.push(end);
    counts_.padding_bytes += batch_alignment;
    last = commits_.last_waiting();
  }
  last->flags |= batch_ends_file;
  last->next = file.end();
  last_content_end_ = last->next;
}

bool DiskJournal::has_room(std::uint64_t record_bytes) const {
  if (files_.window_full()) return false;
  if (!files_.has_failed()) return true;
  const LogFile& file = files_.append_file();
  if (!file.ready()) return false;
  const std::uint64_t rest = file.end().value - std::min(end(), file.end()).value;
  const std::uint64_t ahead = files_.ready_ahead_bytes();
  const std::uint64_t reserve = std::max(reserve_bytes_min, file.bytes / 4);
  return rest + ahead >= reserve + record_bytes && (record_bytes < rest || record_bytes < ahead / 2);
}

void DiskJournal::flush() {
  files_.tick();
  commits_.submit();
  if (used_ > 0 && (somebody_waits_ || used_ > riding_bytes_max)) commit();
}

void DiskJournal::flush_riding() {
  files_.tick();
  commits_.submit();
  if (used_ > 0) commit();
}

void DiskJournal::commit() {
  WEIR_ASSERT(unfinished_ == nullptr);
  if (failed_ || !commits_.has_place()) return;
  close_batch();
  commits_.submit();
}

void DiskJournal::write_mark() {
  if (failed_ || !idle() || commits_.known_durable() >= last_content_end_) return;
  const Lsn content_end = last_content_end_;
  append(RecordType::mark, 0, QueueId{}, Seq{}, 0, 0, Urgency::wait);
  finish();
  flush();
  last_content_end_ = content_end;
}

CachedRecord DiskJournal::cached(Location location) {
  const Lsn lsn{table_.at(location.slot()).start.value + location.offset()};
  CachedRecord record = tail_.find(lsn);
  if (record.at == nullptr) record = read_cache_.find(location, durable());
  record.at != nullptr ? ++counts_.cache_hits : ++counts_.cache_misses;
  return record;
}

void DiskJournal::read(Location location, ReadWaiter& waiter) {
  read_cache_.read(location, durable(), waiter);
}

void DiskJournal::release(Location location, std::uint32_t count) {
  LogFile& file = table_.at(location.slot());
  WEIR_ASSERT(file.live >= count);
  file.live -= count;
  file.live_bytes -= location.bytes() * count;
  if (file.live == 0 && file.segment) segments_.something_died();
}

// Nothing before the new start is needed: neither is a checkpoint.
void DiskJournal::reclaim(Lsn up_to, Seq seqs_end) {
  if (failed_) return;
  const Lsn limit = std::min(up_to, reclaimable());
  if (limit <= files_.start_lsn()) return;
  const bool overtaken = checkpoint_.active() && checkpoint_.from() < limit;
  if (overtaken) checkpoint_.give_up();
  Superblock& superblock = files_.superblock();
  superblock.seqs_end = std::max(superblock.seqs_end, seqs_end);
  if (superblock.has_checkpoint || overtaken)
    files_.void_checkpoints(superblock.checkpoint + (superblock.has_checkpoint ? 1 : 0) +
                            (overtaken ? 1 : 0));
  files_.reclaim(limit, durable());
}

void DiskJournal::tend() {
  if (failed_) return;
  if (commit_age_ms() > options_.commit_age_max_ms)
    return on_commit_failed({ErrorCode::io_error, "a write has not come back for too long"});
  files_.note_dead(end());
  checkpoint_.tend(durable());
  cleaner_.tend();
  scrubber_.tend(durable(), commits_.age_ns());
  if (!segments_.empty()) segments_.tend(end(), durable());
}

bool DiskJournal::wants_checkpoint() {
  if (failed_ || closed_ || !checkpoint_.may_begin()) return false;
  if ((segments_.unrecorded() && !cleaner_.active()) || segments_.unlisted() || cleaner_.wants_pass())
    return true;
  const std::uint64_t window = files_.append_file().start.value - files_.start_lsn().value;
  // A large one is worth more log.
  return window >= std::max(options_.checkpoint_bytes, 8 * checkpoint_.last_bytes()) &&
         reclaimable() == files_.start_lsn();
}

unsigned DiskJournal::next_tend_ms() {
  constexpr unsigned at_work_ms = 10;
  constexpr unsigned surplus_ms = 5'000;
  if (failed_) return 0;
  if (cleaner_.active() || checkpoint_.active() || wants_checkpoint()) return at_work_ms;
  unsigned soonest = 0;
  const auto want = [&soonest](unsigned ms) {
    if (ms > 0) soonest = soonest == 0 ? ms : std::min(soonest, ms);
  };
  if (cleaner_.is_on() && !segments_.empty()) want(options_.clean_survey_ms);
  if (files_.has_surplus()) want(surplus_ms);
  want(scrubber_.next_tend_ms());
  return soonest;
}

CheckpointWriter& DiskJournal::begin_checkpoint() {
  checkpoint_.begin();
  return checkpoint_;
}

void DiskJournal::on_committed(Lsn durable) {
  tail_.trim(durable);
  if (!failed_) events_.on_durable(durable);
}

void DiskJournal::on_commit_failed(const Error& error) {
  if (std::exchange(failed_, true)) return;
  commits_.stop();
  files_.stop();
  checkpoint_.stop();
  cleaner_.stop();
  scrubber_.stop();
  log_error("journal", "nothing more can be made durable: {}", error.message);
  events_.on_journal_failed(error);
}

// False if the log waits for a file that can't be made.
bool DiskJournal::settle() {
  while (!idle() && !failed_) {
    flush_riding();
    if (commits_.blocked() && files_.has_failed() && !files_.busy() && commits_.in_disk() == 0) return false;
    disk_.submit();
    if (disk_.poll() == 0) std::this_thread::yield();
  }
  files_.stop();
  checkpoint_.stop();
  cleaner_.stop();
  scrubber_.stop();
  while ((files_.busy() || read_cache_.in_disk() > 0 || checkpoint_.in_disk() || cleaner_.in_disk() ||
          scrubber_.in_disk()) &&
         disk_.in_flight() > 0) {
    disk_.submit();
    if (disk_.poll() == 0) std::this_thread::yield();
  }
  return true;
}

Status DiskJournal::close_clean() {
  WEIR_ASSERT(unfinished_ == nullptr);
  closed_ = true;
  if (!settle()) return fail(ErrorCode::no_space, "the journal's end has no place on the disk");
  if (failed_) return fail(ErrorCode::io_error, "the journal failed before");
  Superblock& superblock = files_.superblock();
  superblock.durable = durable();
  superblock.clean = true;
  return store_superblock_now(disk_, options_.directory, superblock);
}

Journal::Stats DiskJournal::stats() const {
  Stats stats = counts_;
  const CommitQueue::Counts& commits = commits_.counts();
  stats.commits = commits.commits;
  stats.bytes_written = commits.bytes;
  stats.commit_ns_total = commits.ns_total;
  stats.commit_ns_max = commits.ns_max;
  stats.commit_us = commits.us;
  stats.commit_bytes = commits.bytes_each;
  stats.reads = read_cache_.reads();
  stats.read_bytes = read_cache_.read_bytes();
  stats.files = files_.count();
  stats.log_bytes = files_.log_bytes();
  stats.segments = segments_.count();
  stats.segment_bytes = segments_.bytes();
  stats.clean_passes = cleaner_.passes();
  stats.clean_moved_bytes = cleaner_.moved_bytes();
  stats.scrub_passes = scrubber_.passes();
  stats.scrubbed_bytes = scrubber_.bytes();
  stats.scrub_findings = scrubber_.findings();
  stats.scrub_reads_in_disk = scrubber_.in_disk() ? 1 : 0;
  stats.checkpoints = checkpoint_.written();
  stats.cache_bytes = tail_.bytes() + read_cache_.bytes();
  return stats;
}

}  // namespace weir::storage
