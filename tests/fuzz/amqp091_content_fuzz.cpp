// Input: the payload of a content header frame. Properties: the raw properties are those of the input; what
// the view shows, encoded again, is byte for byte what came; a header written around them decodes to the
// same.
#include <vector>

#include "fuzz/amqp091_check.h"
#include "protocol/amqp091/codec/content_frames.h"
#include "protocol/amqp091/codec/field_view.h"

namespace weir::amqp091 {
namespace {

void run(Bytes payload) {
  (void)validate_properties(payload);
  const auto header = decode_content_header(payload);
  if (!header) {
    const ReplyCode code = header.error().code;
    WEIR_ASSERT(code == ReplyCode::frame_error || code == ReplyCode::syntax_error ||
                code == ReplyCode::unexpected_frame);  // of another class
    return;
  }
  WEIR_ASSERT(same_bytes(header->raw_properties, payload.subspan(content_header_fixed_bytes)));
  const PropertiesView view(header->raw_properties);
  const Properties properties = properties_of(view);
  if (properties.headers) WEIR_ASSERT(validate_table(properties.headers->content));
  std::vector<std::byte> raw;
  append_properties(raw, properties);
  WEIR_ASSERT(same_bytes(raw, header->raw_properties));

  std::vector<std::byte> frame(content_header_frame_bytes(raw.size()));
  write_content_header_frame(frame.data(), 1, header->body_bytes, raw);
  const auto taken = decode_frame(frame, ~std::uint32_t{0});
  WEIR_ASSERT(taken.answer == DecodedFrame::Answer::frame && same_bytes(taken.frame.payload, payload));
}

}  // namespace
}  // namespace weir::amqp091

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::amqp091::run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
