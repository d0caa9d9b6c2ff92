#include "storage/segments.h"

#include <algorithm>
#include <utility>

namespace weir::storage {

Segments::Segments(runtime::Disk& disk, FileTable& table, LogFiles& files, std::vector<LogFile> found)
    : disk_(disk), table_(table), log_(files) {
  for (LogFile& file : found) {
    files_.push_back(std::make_unique<LogFile>(std::move(file)));
    table_.put(*files_.back());
  }
  some_dead_ = !files_.empty();
}

Segments::~Segments() {
  for (const auto* files : {&files_, &leaving_}) {
    for (const auto& file : *files) disk_.close(file->handle);
  }
}

void Segments::add(std::unique_ptr<LogFile> file) {
  file->surveyed_live = file->live;
  some_dead_ = some_dead_ || file->live == 0;
  some_unrecorded_ = some_unrecorded_ || file->cleaned();
  files_.push_back(std::move(file));
}

std::uint64_t Segments::bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& file : files_) bytes += file->bytes;
  return bytes;
}

std::vector<SegmentName> Segments::name_in(std::uint64_t generation, Lsn durable) {
  std::vector<SegmentName> names;
  for (const auto& file : files_) {
    if (file->dead(durable)) continue;
    file->named_in = generation;
    names.push_back({file->start, file->bytes});
  }
  return names;
}

void Segments::recorded_in(std::uint64_t generation) {
  for (const auto& file : files_) file->recorded = file->recorded || file->named_in == generation;
}

bool Segments::unrecorded() {
  if (!some_unrecorded_) return false;
  some_unrecorded_ = std::any_of(files_.begin(), files_.end(), [](const auto& file) {
    return file->cleaned() && !file->recorded && file->live > 0;
  });
  return some_unrecorded_;
}

bool Segments::unlisted() {
  if (!some_unlisted_) return false;
  some_unlisted_ = std::any_of(files_.begin(), files_.end(), [](const auto& file) {
    return !file->listed && !file->making && file->live > 0;
  });
  return some_unlisted_;
}

// What was moved is in files that the checkpoint on the disk names, or durably settled.
bool Segments::moves_count(Lsn durable) const {
  return std::none_of(files_.begin(), files_.end(), [durable](const auto& file) {
    return file->cleaned() && !file->recorded && (!file->dead(durable) || file->making);
  });
}

void Segments::tend(Lsn end, Lsn durable) {
  if (!some_dead_ && leaving_.empty()) return;
  // The log's start, and the checkpoint with it, must be on the disk before what they replace goes.
  const Lsn recorded = log_.recorded_start();
  const bool moves = moves_count(durable);
  some_dead_ = false;
  std::erase_if(files_, [&](std::unique_ptr<LogFile>& file) {
    if (file->live > 0) {
      file->dead_at = Lsn{};
      return false;
    }
    some_dead_ = true;  // until it has gone
    if (file->making || file->victim) return false;
    if (file->dead_at == Lsn{}) file->dead_at = end;
    if (file->moved && !moves) return false;
    if (durable < file->dead_at || (!file->cleaned() && recorded < file->end())) return false;
    table_.remove(*file);
    leaving_.push_back(std::move(file));
    return true;
  });
  std::erase_if(leaving_, [&](const std::unique_ptr<LogFile>& file) {
    if (file->reads > 0) return false;
    log_.give_back(*file);
    return true;
  });
}

}  // namespace weir::storage
