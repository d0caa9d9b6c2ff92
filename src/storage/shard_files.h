// What it is: which files a shard's directory holds, by their names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "runtime/disk.h"

namespace weir::storage {

// The LSN in `j-<lsn>.log`, in `g-<lsn>.seg` and in `i-<lsn>.idx`.
std::optional<Lsn> log_file_start(std::string_view name);
std::optional<Lsn> cleaned_file_start(std::string_view name);
std::optional<Lsn> listing_start(std::string_view name);

struct ShardFiles {
  struct File {
    Lsn start;
    std::uint64_t bytes = 0;  // whole blocks
    bool operator==(const File&) const = default;
  };
  std::vector<File> logs, cleaned, listings;  // ascending
  std::vector<runtime::DirectoryEntry> temporary;
  std::vector<runtime::DirectoryEntry> others;

  const File* find(Lsn start) const;  // a log or a cleaned file
  bool has_listing(Lsn start) const;
};
Result<ShardFiles> list_shard_files(runtime::Disk& disk, const std::string& directory);

// The path of a file that a checkpoint names.
std::string segment_path(const std::string& directory, Lsn start);
inline constexpr const char* lost_and_found = "lost+found";

}  // namespace weir::storage
