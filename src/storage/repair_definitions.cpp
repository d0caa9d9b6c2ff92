#include "storage/repair_definitions.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "storage/log_files.h"
#include "storage/record_check.h"
#include "storage/repair_bits.h"
#include "storage/snapshot.h"

namespace weir::storage {

Result<RebuiltDefinitions> rebuild_definitions(runtime::Disk& disk, const std::string& directory,
                                               const Superblock& superblock, const ShardFiles& files,
                                               Lsn end) {
  RebuiltDefinitions rebuilt;
  std::optional<Snapshot> base;
  for (std::uint64_t side = 0; side < 2; ++side) {
    auto bytes = disk.read_file_now(snapshot_path(directory, side));
    if (!bytes) {
      if (bytes.error().code != ErrorCode::not_found) return std::unexpected(bytes.error());
      continue;
    }
    auto snapshot = decode_snapshot(*bytes);
    bool put_right = false;
    if (!snapshot && repair_one_bit(*bytes)) {
      snapshot = decode_snapshot(*bytes);
      put_right = true;
    }
    if (!snapshot || (base && base->lsn >= snapshot->lsn)) continue;
    base = std::move(*snapshot);
    rebuilt.put_right = put_right;
  }
  rebuilt.has_base = base.has_value();
  Lsn from;
  if (base) {
    from = base->lsn;
    rebuilt.contents = std::move(base->contents);
  }
  for (std::size_t i = 0; i < files.logs.size(); ++i) {
    const auto handle = disk.open(log_file_path(directory, files.logs[i].start));
    if (!handle) return std::unexpected(handle.error());
    LogFile file;
    file.start = files.logs[i].start;
    file.bytes = std::min(files.logs[i].bytes, file_bytes_limit);
    if (i + 1 < files.logs.size())
      file.bytes = std::min(file.bytes, files.logs[i + 1].start.value - file.start.value);
    file.handle = *handle;
    const auto checked = check_records(
        disk, file, superblock.salt(), {1, superblock.incarnation}, 0, file.bytes,
        [&](const Record& record, std::uint64_t offset, std::size_t) {
          const Lsn lsn{file.start.value + offset};
          if (record.type != RecordType::meta || lsn < from || lsn >= end) return;
          rebuilt.contents.insert(rebuilt.contents.end(), record.payload.begin(), record.payload.end());
          ++rebuilt.records;
        });
    disk.close(*handle);
    if (!checked) return std::unexpected(checked.error());
  }
  return rebuilt;
}

}  // namespace weir::storage
