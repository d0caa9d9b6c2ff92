#include "storage/superblock.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/chunk.h"
#include "base/crc32c.h"

namespace weir::storage {
namespace {

constexpr std::uint32_t superblock_magic = 0x31534a57;  // "WJS1" as little-endian bytes
constexpr std::uint16_t superblock_version = 1;
constexpr unsigned clean_flag = 1;
constexpr unsigned awaits_file_flag = 2;
constexpr unsigned checkpoint_flag = 4;
constexpr std::size_t earlier_at = 64;
constexpr std::size_t earlier_bytes = 16;
constexpr std::size_t crc_at = superblock_bytes - 4;
constexpr std::size_t seqs_end_at = 4064;
static_assert(earlier_at + earlier_incarnations_max * earlier_bytes <= seqs_end_at);

}  // namespace

void encode_superblock(const Superblock& superblock, std::byte* to) {
  std::memset(to, 0, superblock_bytes);
  store_le(to, superblock_magic);
  store_le(to + 4, superblock_version);
  const unsigned flags = (superblock.clean ? clean_flag : 0) |
                         (superblock.awaits_file ? awaits_file_flag : 0) |
                         (superblock.has_checkpoint ? checkpoint_flag : 0);
  store_le(to + 6, static_cast<std::uint16_t>(flags));
  store_le(to + 8, superblock.identity);
  store_le(to + 16, superblock.generation);
  store_le(to + 24, superblock.start.value);
  store_le(to + 32, superblock.begin.value);
  store_le(to + 40, superblock.durable.value);
  store_le(to + 48, superblock.incarnation);
  store_le(to + 52, static_cast<std::uint32_t>(superblock.earlier.size()));
  store_le(to + 56, superblock.checkpoint);
  std::byte* at = to + earlier_at;
  for (const Superblock::Incarnation& earlier : superblock.earlier) {
    store_le(at, earlier.begin.value);
    store_le(at + 8, earlier.number);
    at += earlier_bytes;
  }
  store_le(to + seqs_end_at, superblock.seqs_end.value);
  store_le(to + crc_at, crc32c(Bytes(to, crc_at)));
}

Result<Superblock> decode_superblock(Bytes from) {
  if (from.size() != superblock_bytes) return fail(ErrorCode::corrupt, "superblock has another size");
  const std::byte* at = from.data();
  if (load_le<std::uint32_t>(at) != superblock_magic) return fail(ErrorCode::corrupt, "no superblock magic");
  if (load_le<std::uint32_t>(at + crc_at) != crc32c(from.first(crc_at))) {
    return fail(ErrorCode::corrupt, "superblock CRC");
  }
  if (load_le<std::uint16_t>(at + 4) != superblock_version)
    return fail(ErrorCode::corrupt, "superblock version");
  Superblock superblock;
  const unsigned flags = load_le<std::uint16_t>(at + 6);
  superblock.clean = (flags & clean_flag) != 0;
  superblock.awaits_file = (flags & awaits_file_flag) != 0;
  superblock.has_checkpoint = (flags & checkpoint_flag) != 0;
  superblock.identity = load_le<std::uint64_t>(at + 8);
  superblock.generation = load_le<std::uint64_t>(at + 16);
  superblock.start = Lsn{load_le<std::uint64_t>(at + 24)};
  superblock.begin = Lsn{load_le<std::uint64_t>(at + 32)};
  superblock.durable = Lsn{load_le<std::uint64_t>(at + 40)};
  superblock.incarnation = load_le<std::uint32_t>(at + 48);
  const auto count = load_le<std::uint32_t>(at + 52);
  superblock.checkpoint = load_le<std::uint64_t>(at + 56);
  superblock.seqs_end = Seq{load_le<std::uint64_t>(at + seqs_end_at)};
  if (count > earlier_incarnations_max) return fail(ErrorCode::corrupt, "impossible count in a superblock");
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::byte* entry = at + earlier_at + i * earlier_bytes;
    superblock.earlier.push_back({Lsn{load_le<std::uint64_t>(entry)}, load_le<std::uint32_t>(entry + 8)});
  }
  const bool ordered = superblock.start <= superblock.durable && superblock.begin <= superblock.durable;
  const bool aligned =
      (superblock.start.value | superblock.begin.value | superblock.durable.value) % superblock_bytes == 0;
  if (!ordered || !aligned) return fail(ErrorCode::corrupt, "impossible positions in a superblock");
  return superblock;
}

Superblock::Range Superblock::incarnations_at(Lsn at) const {
  if (at >= begin) return {incarnation, incarnation};
  const auto after = std::upper_bound(earlier.begin(), earlier.end(), at,
                                      [](Lsn place, const Incarnation& e) { return place < e.begin; });
  if (after != earlier.begin()) return {std::prev(after)->number, std::prev(after)->number};
  const std::uint32_t first_known = earlier.empty() ? incarnation : earlier.front().number;
  return {1, first_known == 0 ? 0 : first_known - 1};
}

void Superblock::begin_incarnation(Lsn at) {
  if (incarnation > 0 && begin < at) earlier.push_back({begin, incarnation});
  if (earlier.size() > earlier_incarnations_max) earlier.erase(earlier.begin());
  ++incarnation;
  begin = at;
}

void Superblock::forget_before(Lsn lsn) {
  while (!earlier.empty() && (earlier.size() > 1 ? earlier[1].begin : begin) <= lsn)
    earlier.erase(earlier.begin());
}

std::string superblock_path(const std::string& directory, std::uint64_t generation) {
  return directory + (generation % 2 == 0 ? "/super.A" : "/super.B");
}

Result<std::optional<Superblock>> load_superblock(runtime::Disk& disk, const std::string& directory) {
  std::optional<Superblock> newest;
  std::optional<Error> damage;
  for (std::uint64_t side = 0; side < 2; ++side) {
    const std::string path = superblock_path(directory, side);
    const auto bytes = disk.read_file_now(path);
    if (!bytes) {
      if (bytes.error().code == ErrorCode::not_found) continue;
      return std::unexpected(bytes.error());
    }
    const auto superblock = decode_superblock(*bytes);
    if (!superblock) {
      damage = Error{superblock.error().code, path + ": " + superblock.error().message};
    } else if (!newest || superblock->generation > newest->generation) {
      newest = *superblock;
    }
  }
  if (!newest && damage) return std::unexpected(*damage);
  return newest;
}

Status store_superblock_now(runtime::Disk& disk, const std::string& directory, Superblock& superblock) {
  const ChunkRef block = ChunkRef::adopt(Chunk::make(superblock_bytes));
  const Bytes bytes(block->data(), superblock_bytes);
  for (int copy = 0; copy < 2; ++copy) {
    ++superblock.generation;
    encode_superblock(superblock, block->data());
    const std::string path = superblock_path(directory, superblock.generation);
    const auto file = disk.open(path);
    if (!file) {
      if (file.error().code != ErrorCode::not_found) return std::unexpected(file.error());
      WEIR_TRY(disk.write_file_now(path, bytes));
      continue;
    }
    const Status written = disk.write_now(*file, 0, bytes);
    disk.close(*file);
    if (!written) return written;
  }
  return {};
}

}  // namespace weir::storage
