#include "storage/snapshot.h"

#include <optional>
#include <utility>

#include "base/crc32c.h"
#include "base/cursor.h"
#include "base/log.h"

namespace weir::storage {
namespace {

constexpr std::uint32_t snapshot_magic = 0x31505357;  // "WSP1" as little-endian bytes
constexpr std::uint16_t snapshot_version = 1;
constexpr std::size_t crc_bytes = 4;
}  // namespace

std::vector<std::byte> encode_snapshot(Lsn lsn, Bytes contents) {
  std::vector<std::byte> file;
  Writer out(file);
  out.le(snapshot_magic);
  out.le(snapshot_version);
  out.le(std::uint16_t{0});
  out.le(lsn.value);
  out.le(std::uint64_t{contents.size()});
  out.bytes(contents);
  out.le(crc32c(file));
  return file;
}

Result<Snapshot> decode_snapshot(Bytes file) {
  Reader in(file);
  const auto magic = in.le<std::uint32_t>();
  const auto version = in.le<std::uint16_t>();
  in.le<std::uint16_t>();
  const auto lsn = in.le<std::uint64_t>();
  const auto size = in.le<std::uint64_t>();
  if (!in.ok() || magic != snapshot_magic) return fail(ErrorCode::corrupt, "not a snapshot");
  if (in.left() < crc_bytes || size != in.left() - crc_bytes)
    return fail(ErrorCode::corrupt, "snapshot has another size");
  const Bytes contents = in.bytes(size);
  if (in.le<std::uint32_t>() != crc32c(file.first(file.size() - crc_bytes))) {
    return fail(ErrorCode::corrupt, "snapshot CRC");
  }
  if (version != snapshot_version) return fail(ErrorCode::corrupt, "snapshot version");
  return Snapshot{Lsn{lsn}, {contents.begin(), contents.end()}};
}

std::string snapshot_path(const std::string& directory, std::uint64_t generation) {
  return directory + (generation % 2 == 0 ? "/snapshot.A" : "/snapshot.B");
}

Result<LoadedSnapshot> load_newest_snapshot(runtime::Disk& disk, const std::string& directory) {
  std::optional<LoadedSnapshot> newest;
  std::optional<Error> damage;
  // Of the generation only its parity matters to the next one's name; the LSN tells which file is newer.
  for (std::uint64_t generation = 0; generation < 2; ++generation) {
    const std::string path = snapshot_path(directory, generation);
    const auto bytes = disk.read_file_now(path);
    if (!bytes) {
      if (bytes.error().code == ErrorCode::not_found) continue;
      return std::unexpected(bytes.error());
    }
    auto snapshot = decode_snapshot(*bytes);
    if (!snapshot) {
      damage = Error{snapshot.error().code, path + ": " + snapshot.error().message};
    } else if (!newest || snapshot->lsn > newest->snapshot.lsn) {
      newest = LoadedSnapshot{std::move(*snapshot), generation, false};
    }
  }
  if (newest) {
    newest->other_is_damaged = damage.has_value();
    if (damage) log_error("store", "{}; the other copy counts", damage->message);
    return std::move(*newest);
  }
  if (damage) return std::unexpected(std::move(*damage));
  return fail(ErrorCode::not_found, directory + ": no snapshot");
}

}  // namespace weir::storage
