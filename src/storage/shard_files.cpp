#include "storage/shard_files.h"

#include <algorithm>
#include <charconv>

#include "storage/log_files.h"
#include "storage/record.h"

namespace weir::storage {
namespace {

std::optional<Lsn> start_in_name(std::string_view name, std::string_view prefix, std::string_view suffix) {
  constexpr std::size_t digits = 16;
  if (name.size() != prefix.size() + digits + suffix.size() || !name.starts_with(prefix) ||
      !name.ends_with(suffix)) {
    return std::nullopt;
  }
  const char* begin = name.data() + prefix.size();
  std::uint64_t start = 0;
  const auto [end, error] = std::from_chars(begin, begin + digits, start, 16);
  if (error != std::errc{} || end != begin + digits || start % batch_alignment != 0) return std::nullopt;
  return Lsn{start};
}

bool is_known(std::string_view name) {
  for (const std::string_view known :
       {"super.A", "super.B", "snapshot.A", "snapshot.B", "checkpoint.A", "checkpoint.B"}) {
    if (name == known) return true;
  }
  return false;
}

}  // namespace

std::optional<Lsn> log_file_start(std::string_view name) { return start_in_name(name, "j-", ".log"); }
std::optional<Lsn> cleaned_file_start(std::string_view name) { return start_in_name(name, "g-", ".seg"); }
std::optional<Lsn> listing_start(std::string_view name) { return start_in_name(name, "i-", ".idx"); }

const ShardFiles::File* ShardFiles::find(Lsn start) const {
  for (const auto* files : {&logs, &cleaned}) {
    for (const File& file : *files) {
      if (file.start == start) return &file;
    }
  }
  return nullptr;
}

bool ShardFiles::has_listing(Lsn start) const {
  return std::any_of(listings.begin(), listings.end(), [&](const File& file) { return file.start == start; });
}

Result<ShardFiles> list_shard_files(runtime::Disk& disk, const std::string& directory) {
  const auto entries = disk.list(directory);
  if (!entries) return std::unexpected(entries.error());
  ShardFiles files;
  for (const runtime::DirectoryEntry& entry : *entries) {
    const std::uint64_t bytes = entry.bytes / batch_alignment * batch_alignment;
    if (const auto log = log_file_start(entry.name)) {
      files.logs.push_back({*log, bytes});
    } else if (const auto cleaned = cleaned_file_start(entry.name)) {
      files.cleaned.push_back({*cleaned, bytes});
    } else if (const auto listing = listing_start(entry.name)) {
      files.listings.push_back({*listing, entry.bytes});
    } else if (entry.name.ends_with(runtime::temporary_suffix)) {
      files.temporary.push_back(entry);
    } else if (!is_known(entry.name)) {
      files.others.push_back(entry);
    }
  }
  for (auto* sorted : {&files.logs, &files.cleaned, &files.listings}) {
    std::sort(sorted->begin(), sorted->end(),
              [](const ShardFiles::File& a, const ShardFiles::File& b) { return a.start < b.start; });
  }
  return files;
}

std::string segment_path(const std::string& directory, Lsn start) {
  return start.value >= cleaned_positions_begin ? cleaned_file_path(directory, start)
                                                : log_file_path(directory, start);
}

}  // namespace weir::storage
