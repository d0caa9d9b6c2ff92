#include "storage/log_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "storage/listing.h"

namespace weir::storage {
namespace {

constexpr std::size_t spares_max = 4;
constexpr std::uint64_t quiet_ns = 10'000'000'000;
// Once the log has rolled that often, two files are kept ready.
constexpr std::uint64_t rolls_of_a_busy_log = 3;
constexpr std::uint64_t retry_wait_ns_min = 50'000'000;
constexpr std::uint64_t retry_wait_ns_max = 1'000'000'000;
constexpr std::uint64_t file_bytes_min = 1U << 20;  // what a disk that is nearly full is asked for at least

}  // namespace

std::string log_file_path(const std::string& directory, Lsn start) {
  return fmt::format("{}/j-{:016x}.log", directory, start.value);
}

std::string cleaned_file_path(const std::string& directory, Lsn start) {
  return fmt::format("{}/g-{:016x}.seg", directory, start.value);
}

LogFiles::LogFiles(runtime::Disk& disk, Options options, FileTable& table, LogFileSet found,
                   LogFilesEvents& events)
    : disk_(disk),
      options_(std::move(options)),
      events_(events),
      table_(table),
      append_index_(found.append_index),
      spares_(std::move(found.spares)),
      superblock_(found.superblock),
      durable_(found.superblock.durable),
      recorded_start_(found.superblock.start),
      superblock_block_(ChunkRef::adopt(Chunk::make(superblock_bytes))) {
  WEIR_ASSERT(append_index_ < found.files.size());
  for (LogFile& file : found.files) {
    files_.push_back(std::make_unique<LogFile>(std::move(file)));
    table_.put(*files_.back());
  }
  next_bytes_ = std::clamp(append_file().bytes, options_.first_file_bytes, options_.file_bytes_max);
  make_operation_.owner = superblock_operation_.owner = remove_operation_.owner = this;
  make_operation_.done = &LogFiles::on_made;
  superblock_operation_.done = &LogFiles::on_superblock_written;
  remove_operation_.done = &LogFiles::on_removed;
}

LogFiles::~LogFiles() {
  for (const auto* files : {&files_, &retired_}) {
    for (const auto& file : *files) {
      if (file->ready()) disk_.close(file->handle);
    }
  }
  for (const runtime::FileHandle file : superblock_files_) {
    if (file != runtime::no_file) disk_.close(file);
  }
}

Status LogFiles::start() {
  for (std::uint64_t side = 0; side < 2; ++side) {
    const auto file = disk_.open(superblock_path(options_.directory, side));
    if (!file) return std::unexpected(file.error());
    superblock_files_[side] = *file;
  }
  tend();
  return {};
}

std::size_t LogFiles::first_not_ready() const {
  std::size_t index = files_.size();
  while (index > 0 && !files_[index - 1]->ready()) --index;
  return index;
}

void LogFiles::advance(std::uint64_t record_bytes) {
  const std::size_t next = append_index_ + 1;
  if (next == files_.size()) {
    plan(record_bytes);
  } else if (next + 1 == files_.size() && !files_[next]->ready() && !making_ &&
             files_[next]->bytes < record_bytes) {
    choose_source(*files_[next], record_bytes);
  }
  append_index_ = next;
  ++rolls_;
  rolled_ns_ = options_.clock->monotonic_ns();
  if (!failed_) next_bytes_ = std::clamp(next_bytes_ * 2, options_.first_file_bytes, options_.file_bytes_max);
  tend();
}

void LogFiles::plan(std::uint64_t bytes_least) {
  auto file = std::make_unique<LogFile>();
  file->start = files_.back()->end();
  choose_source(*file, bytes_least);
  table_.add(*file);
  files_.push_back(std::move(file));
}

// Only for the last file, before anything was laid out in it or behind it.
void LogFiles::choose_source(LogFile& file, std::uint64_t bytes_least) {
  WEIR_ASSERT(bytes_least <= file_bytes_limit);
  const std::uint64_t wanted = std::max(next_bytes_, std::bit_ceil(bytes_least));
  if (!file.spare.empty()) spares_.push_back({std::exchange(file.spare, {}), file.bytes});
  const auto spare = std::find_if(spares_.begin(), spares_.end(),
                                  [wanted](const SpareFile& s) { return s.bytes >= wanted; });
  file.bytes = wanted;
  if (spare == spares_.end()) return;
  file.spare = std::move(spare->path);
  file.bytes = spare->bytes;
  spares_.erase(spare);
}

void LogFiles::tend() {
  if (stopped_) return;
  const std::size_t ahead_wanted = rolls_ > rolls_of_a_busy_log ? 2 : 1;
  const bool all_ready = files_.back()->ready();
  if (all_ready && !failed_ && files_.size() - append_index_ - 1 < ahead_wanted &&
      table_.used() < slots_max - 1) {
    plan(0);
  }
  make_next();
  write_superblock();
  remove_next();
}

void LogFiles::make_next() {
  if (making_ || retry_at_ns_ > 0) return;
  const std::size_t index = first_not_ready();
  if (index == files_.size()) return;
  LogFile& file = *files_[index];
  making_ = true;
  const std::string path = log_file_path(options_.directory, file.start);
  if (file.spare.empty()) {
    disk_.prepare_file(path, file.bytes, make_operation_);
  } else {
    disk_.rename_file(file.spare, path, make_operation_);
  }
}

void LogFiles::on_made(std::int64_t result) {
  making_ = false;
  LogFile& file = *files_[first_not_ready()];
  const std::string path = log_file_path(options_.directory, file.start);
  if (result < 0) {
    making_failed(file, errno_error(static_cast<int>(-result), path));
    return;
  }
  const auto handle = disk_.open(path);
  if (!handle) {
    making_failed(file, handle.error());
    return;
  }
  file.handle = *handle;
  file.spare.clear();
  failed_ = false;
  retry_wait_ns_ = 0;
  tend();
  events_.on_file_ready();
}

void LogFiles::making_failed(LogFile& file, const Error& error) {
  if (!failed_) log_warning("journal", "the next file can't be made: {}", error.message);
  failed_ = true;
  // A spare that can't be renamed is left alone until the next start.
  const bool was_new = std::exchange(file.spare, {}).empty();
  if (use_spare(file) || (was_new && shrink(file))) {
    make_next();
    return;
  }
  retry_wait_ns_ = std::clamp(retry_wait_ns_ * 2, retry_wait_ns_min, retry_wait_ns_max);
  retry_at_ns_ = options_.clock->monotonic_ns() + retry_wait_ns_;
}

// What lies in a file that is not made yet: while nothing is planned behind it, its size can change to no less.
std::uint64_t LogFiles::used_bytes(const LogFile& file) const {
  if (&file != files_.back().get()) return file.bytes;
  return align_up(std::max(events_.laid_out(), file.start).value - file.start.value, superblock_bytes);
}

bool LogFiles::use_spare(LogFile& file) {
  const bool may_grow = &file == files_.back().get();
  const std::uint64_t least = used_bytes(file);
  const auto spare = std::find_if(spares_.begin(), spares_.end(), [&](const SpareFile& s) {
    return s.bytes >= least && (may_grow || s.bytes == file.bytes);
  });
  if (spare == spares_.end()) return false;
  file.spare = std::move(spare->path);
  file.bytes = spare->bytes;
  spares_.erase(spare);
  return true;
}

// A smaller one may have room on the disk.
bool LogFiles::shrink(LogFile& file) {
  const std::uint64_t least = std::min(file_bytes_min, options_.first_file_bytes);
  const std::uint64_t smaller = std::max({std::bit_ceil(file.bytes) / 2, least, used_bytes(file)});
  if (smaller >= file.bytes) return false;
  file.bytes = next_bytes_ = smaller;
  return true;
}

void LogFiles::tick() {
  if (has_surplus() && options_.clock->monotonic_ns() - rolled_ns_ > quiet_ns) {
    keep_spares(spares_when_quiet);
    tend();
  }
  if (retry_at_ns_ == 0 || options_.clock->monotonic_ns() < retry_at_ns_) return;
  retry_at_ns_ = 0;
  tend();
}

std::uint64_t LogFiles::ready_ahead_bytes() const {
  std::uint64_t bytes = 0;
  for (std::size_t index = append_index_ + 1; index < files_.size() && files_[index]->ready(); ++index) {
    bytes += files_[index]->bytes;
  }
  return bytes;
}

Lsn LogFiles::reclaimable(Lsn durable) const {
  std::size_t index = 0;
  while (index < append_index_ && files_[index]->dead(durable)) ++index;
  return files_[index]->start;
}

void LogFiles::reclaim(Lsn up_to, Lsn durable) {
  const Lsn limit = std::min(up_to, reclaimable(durable));
  while (files_.front()->end() <= limit) retire_front();
  tend();
}

void LogFiles::retire_front() {
  table_.remove(*files_.front());
  retired_.push_back(std::move(files_.front()));
  files_.pop_front();
  --append_index_;
}

void LogFiles::void_checkpoints(std::uint64_t below_generation) {
  superblock_.checkpoint = below_generation;
  superblock_.has_checkpoint = false;
  superblock_changed_ = true;
}

void LogFiles::remove_outdated_listings() {
  std::move(outdated_listings_.begin(), outdated_listings_.end(), std::back_inserter(unwanted_));
  outdated_listings_.clear();
}

void LogFiles::end_read(LogFile& file) {
  WEIR_ASSERT(file.reads > 0);
  if (--file.reads > 0) return;
  dispose_retired();
  tend();
}

void LogFiles::write_superblock() {
  const bool awaits_file = !files_.front()->ready();
  const bool changed = superblock_changed_ || files_.front()->start != superblock_.start ||
                       awaits_file != superblock_.awaits_file;
  if (superblock_busy_ || !changed) return;
  superblock_changed_ = false;
  superblock_.start = files_.front()->start;
  superblock_.awaits_file = awaits_file;
  superblock_.durable = durable_;
  superblock_.forget_before(superblock_.start);
  superblock_copies_left_ = 2;
  superblock_busy_ = true;
  on_superblock_written(static_cast<std::int64_t>(superblock_bytes));
}

// Both files say the same before anything behind the new start is touched.
void LogFiles::on_superblock_written(std::int64_t result) {
  superblock_busy_ = false;
  if (result != static_cast<std::int64_t>(superblock_bytes)) {
    stop();
    const int code = result < 0 ? static_cast<int>(-result) : 0;
    events_.on_superblock_failed(code != 0 ? errno_error(code, "superblock")
                                           : Error{ErrorCode::io_error, "superblock: short write"});
    return;
  }
  if (superblock_copies_left_ > 0) {
    --superblock_copies_left_;
    superblock_busy_ = true;
    ++superblock_.generation;
    encode_superblock(superblock_, superblock_block_->data());
    disk_.write_durable(superblock_files_[superblock_.generation % 2], 0,
                        Bytes(superblock_block_->data(), superblock_bytes), superblock_operation_);
    return;
  }
  recorded_start_ = superblock_.start;
  remove_outdated_listings();
  dispose_retired();
  tend();
}

void LogFiles::dispose_retired() {
  while (!retired_.empty() && retired_.front()->end() <= recorded_start_ && retired_.front()->reads == 0) {
    dispose(*retired_.front());
    retired_.pop_front();
  }
}

void LogFiles::dispose(LogFile& file) {
  disk_.close(file.handle);
  file.handle = runtime::no_file;
  // The last checkpoint may name the file: as long as it does, its listing saves the next start a look into it.
  if (file.listed) outdated_listings_.push_back(listing_path(options_.directory, file.start));
  if (file.cleaned()) {
    unwanted_.push_back(cleaned_file_path(options_.directory, file.start));
    return;
  }
  spares_.push_back({log_file_path(options_.directory, file.start), file.bytes});
  // On a full disk what the log waits for may just have become free.
  const std::size_t waiting = first_not_ready();
  if (failed_ && !making_ && waiting < files_.size() && files_[waiting]->spare.empty() &&
      use_spare(*files_[waiting])) {
    retry_at_ns_ = 0;
  }
  keep_spares(spares_max);
}

void LogFiles::keep_spares(std::size_t most) {
  std::size_t kept = 0;
  std::erase_if(spares_, [&](SpareFile& spare) {
    if (spare.bytes >= next_bytes_ && kept++ < most) return false;
    unwanted_.push_back(std::move(spare.path));
    return true;
  });
}

void LogFiles::remove_next() {
  if (removing_ || unwanted_.empty()) return;
  removing_ = true;
  disk_.remove_file(unwanted_.back(), remove_operation_);
  unwanted_.pop_back();
}

void LogFiles::on_removed(std::int64_t result) {
  removing_ = false;
  if (result < 0)
    log_warning("journal", "a file that is not needed any more stays: {}",
                errno_error(static_cast<int>(-result), "remove").message);
  // Space was freed: what failed for want of it may work now.
  if (failed_) retry_at_ns_ = 0;
  tend();
}

}  // namespace weir::storage
