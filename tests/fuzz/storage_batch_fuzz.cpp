// Batch headers, whole batches and what salvage makes of damaged ones, and superblocks.
#include <cstdlib>
#include <vector>

#include "base/crc32c.h"
#include "storage/log_reader.h"
#include "storage/record.h"
#include "storage/salvage.h"
#include "storage/superblock.h"

namespace {

using namespace weir;
using namespace weir::storage;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_salvage(const Salvage& salvage, Bytes batch) {
  std::size_t before = 0;
  for (const std::size_t at : salvage.offsets) {
    check(at > before && at < batch.size() && decode_record(batch.subspan(at)).has_value());
    before = at;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(reinterpret_cast<const std::byte*>(data), size);
  static_cast<void>(decode_superblock(input));
  std::vector<std::byte> batch(input.begin(), input.end());
  // A right checksum lets the fuzzer behind it.
  if (batch.size() >= batch_header_bytes && (std::to_integer<unsigned>(batch.back()) & 1U) != 0) {
    const auto incarnation = load_le<std::uint32_t>(batch.data() + 32);
    store_le(batch.data() + 60, crc32c(Bytes(batch).first(60), incarnation));
  }
  const auto header = decode_batch_header(batch);
  if (header) {
    std::vector<std::byte> again(batch_header_bytes);
    encode_batch_header(*header, again.data());
    check(decode_batch_header(again).has_value());
    const Salvage salvage = salvage_batch(*header, batch);
    check_salvage(salvage, batch);
    check(salvage.offsets.size() <= header->records);
    if (is_whole(*header, batch)) check(salvage.proven && salvage.offsets.size() == header->records);
  }
  static_cast<void>(repair_batch_header(batch, 0, Lsn{4096}));
  if (batch.size() > batch_header_bytes) check_salvage(salvage_headless(batch), batch);
  return 0;
}
