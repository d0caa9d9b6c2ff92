// What it is: decode_extras, decode_deaths, decode_attributes and a block of remembered ids on any bytes; what one of the first
// three accepts is encoded again and must be the same bytes.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "broker/attributes.h"
#include "broker/death_history.h"
#include "broker/dedup_window.h"
#include "broker/message_extras.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const weir::Bytes input(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  std::vector<std::byte> again;
  switch (data[0] % 3) {
    case 0:
      if (const auto extras = weir::broker::decode_extras(input)) {
        weir::broker::append_extras(again, *extras);
        WEIR_ASSERT(std::equal(again.begin(), again.end(), input.begin(), input.end()));
      }
      break;
    case 1:
      if (const auto history = weir::broker::decode_deaths(input)) {
        again = weir::broker::encode_deaths(*history);
        WEIR_ASSERT(std::equal(again.begin(), again.end(), input.begin(), input.end()));
      }
      break;
    default: {
      std::size_t ids = 0;
      const bool whole = weir::broker::DedupWindow::decode_block(
          input, [&](const weir::broker::DedupWindow::Seen&) { ++ids; });
      WEIR_ASSERT(!whole || input.size() == 16 + ids * 24);
      if (const auto attributes = weir::broker::decode_attributes(input)) {
        weir::broker::encode_attributes(*attributes, again);
        WEIR_ASSERT(std::equal(again.begin(), again.end(), input.begin(), input.end()));
      }
    }
  }
  return 0;
}
