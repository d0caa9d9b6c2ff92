// What it is: decode_envelope on any bytes; what it accepts is encoded again and must be the same bytes.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "base/limits.h"
#include "broker/message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const weir::Bytes input(reinterpret_cast<const std::byte*>(data), size);
  const auto stored = weir::broker::decode_envelope(input);
  if (!stored || stored->properties.size() > weir::limits::native_properties_bytes_max ||
      stored->body.size() > weir::limits::message_bytes_max) {
    return 0;
  }
  const weir::broker::IncomingMessage message{.native = stored->native,
                                              .persistent = stored->persistent,
                                              .priority = stored->priority,
                                              .exchange = stored->exchange,
                                              .routing_key = stored->routing_key,
                                              .extras = stored->extras,
                                              .properties = stored->properties,
                                              .body = {&stored->body, 1},
                                              .body_bytes = stored->body.size()};
  std::vector<std::byte> again(weir::broker::envelope_bytes(message));
  weir::broker::encode_envelope(message, stored->received_ms, again.data());
  WEIR_ASSERT(std::equal(again.begin(), again.end(), input.begin(), input.end()));
  return 0;
}
