// Snapshots, and the identity of a data directory.
#include <cstdlib>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "runtime/sim/sim_disk.h"
#include "storage/data_directory.h"
#include "storage/snapshot.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  using namespace weir::storage;
  std::vector<std::byte> file(size);
  for (std::size_t i = 0; i < size; ++i) file[i] = static_cast<std::byte>(data[i]);
  static_cast<void>(decode_snapshot(file));
  if (size >= 4) {
    store_le(file.data() + size - 4, crc32c(Bytes(file).first(size - 4)));
    const auto snapshot = decode_snapshot(file);
    if (snapshot && decode_snapshot(encode_snapshot(snapshot->lsn, snapshot->contents)).value().contents !=
                        snapshot->contents) {
      std::abort();
    }
  }
  runtime::SimStorage storage(1);
  const auto disk = storage.open_disk();
  if (!disk->make_directories("d") || !disk->write_file_now("d/node.id", file)) std::abort();
  const auto identity = open_identity(*disk, "d", 1, 1);
  if (identity && (identity->shards == 0 || identity->node_id.size() != 32)) std::abort();
  return 0;
}
