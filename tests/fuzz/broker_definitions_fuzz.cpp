// What it is: decode_changes on any bytes; what it accepts is encoded again and must be the same bytes.
#include <algorithm>
#include <cstdint>

#include "base/assert.h"
#include "broker/definitions.h"
#include "broker/topology.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const weir::Bytes input(reinterpret_cast<const std::byte*>(data), size);
  const auto changes = weir::broker::decode_changes(input);
  if (!changes) return 0;
  std::vector<std::byte> again;
  for (const auto& change : *changes) weir::broker::encode_change(change, again);
  WEIR_ASSERT(std::equal(again.begin(), again.end(), input.begin(), input.end()));

  weir::broker::Topology topology;
  for (const auto& change : *changes) topology.apply(change);
  return 0;
}
