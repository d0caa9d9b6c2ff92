// One record, with and without a right checksum.
#include <cstdlib>
#include <vector>

#include "base/crc32c.h"
#include "storage/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  using namespace weir::storage;
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(data[i]);
  static_cast<void>(decode_record(bytes));
  const std::size_t span = record_span(bytes);
  if (span == 0) return 0;
  const std::size_t length = load_le<std::uint32_t>(bytes.data() + 4);
  if (length > span || span - length >= record_alignment) std::abort();
  if (length > bytes.size()) return 0;
  put_record_crc(bytes.data());
  const auto record = decode_record(bytes);
  if (!record) std::abort();
  if (record_header_bytes + record->extension.size() + record->payload.size() != length) std::abort();
  const Record parsed = parse_record(bytes);
  if (parsed.payload.data() != record->payload.data() || parsed.seq != record->seq) std::abort();
  return 0;
}
