#include "storage/data_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/crc32c.h"
#include "base/limits.h"
#include "base/rng.h"

namespace weir::storage {
namespace {

constexpr std::uint32_t data_format = 1;
constexpr std::size_t node_id_digits = 32;
constexpr std::size_t identity_bytes_max = 4096;

// For people to read; the checksum is of all lines before it.
std::string encode_identity(const NodeIdentity& identity) {
  std::string text = fmt::format("weir data\nformat {}\nnode_id {}\nshards {}\n", identity.format,
                                 identity.node_id, identity.shards);
  return text + fmt::format("crc32c {:08x}\n", crc32c(as_bytes(text)));
}

// The value of the line "<key> <value>", which is taken off `text`; empty if it is not the next line.
std::string_view take_line(std::string_view& text, std::string_view key) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(key) || end <= key.size() || text[key.size()] != ' ')
    return {};
  const std::string_view value = text.substr(key.size() + 1, end - key.size() - 1);
  text.remove_prefix(end + 1);
  return value;
}

template <typename T>
bool parse_number(std::string_view text, T& value, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc{} && end == text.data() + text.size();
}

Result<NodeIdentity> decode_identity(std::string_view all) {
  const auto bad = [](const char* why) { return fail(ErrorCode::corrupt, std::string("node.id: ") + why); };
  if (all.size() > identity_bytes_max) return bad("too long");
  std::string_view text = all;
  NodeIdentity identity;
  if (take_line(text, "weir") != "data") return bad("not the identity of a data directory");
  if (!parse_number(take_line(text, "format"), identity.format)) return bad("no format");
  if (identity.format != data_format) return bad("written by a later version");
  identity.node_id = take_line(text, "node_id");
  if (identity.node_id.size() != node_id_digits) return bad("no node_id");
  if (!parse_number(take_line(text, "shards"), identity.shards) || identity.shards == 0 ||
      identity.shards > limits::shards_max) {
    return bad("no shards");
  }
  std::uint32_t crc = 0;
  const std::string_view before = all.substr(0, all.size() - text.size());
  if (!parse_number(take_line(text, "crc32c"), crc, 16) || crc != crc32c(as_bytes(before)) || !text.empty()) {
    return bad("its checksum does not hold");
  }
  return identity;
}

}  // namespace

Result<NodeIdentity> open_identity(runtime::Disk& disk, const std::string& directory,
                                   std::uint16_t shards_wanted, std::uint64_t random_seed) {
  WEIR_TRY(disk.make_directories(directory));
  const std::string path = directory + "/node.id";
  const auto bytes = disk.read_file_now(path);
  if (bytes) {
    auto identity = decode_identity(as_text(*bytes));
    if (identity) return identity;
    return fail(identity.error().code, identity.error().message + "; `weir store repair` makes a new one");
  }
  if (bytes.error().code != ErrorCode::not_found) return std::unexpected(bytes.error());
  const auto first_shard = disk.list(shard_directory(directory, 0));
  if (first_shard && !first_shard->empty())
    return fail(ErrorCode::corrupt,
                path + " is missing, but there is data; `weir store repair` makes a new one");
  const NodeIdentity identity = make_identity(shards_wanted, random_seed);
  WEIR_TRY(store_identity(disk, directory, identity));
  return identity;
}

NodeIdentity make_identity(std::uint16_t shards, std::uint64_t random_seed) {
  Rng random(random_seed);
  NodeIdentity identity;
  const std::uint64_t high = random.next();
  const std::uint64_t low = random.next();
  identity.node_id = fmt::format("{:016x}{:016x}", high, low);
  identity.shards = std::clamp<std::uint16_t>(shards, 1, limits::shards_max);
  identity.format = data_format;
  return identity;
}

Status store_identity(runtime::Disk& disk, const std::string& directory, const NodeIdentity& identity) {
  return disk.write_file_now(directory + "/node.id", as_bytes(encode_identity(identity)));
}

std::string shard_directory(const std::string& directory, std::uint16_t shard) {
  return fmt::format("{}/shard-{:02}", directory, shard);
}

}  // namespace weir::storage
