// Input: the payload of a method frame, of any method in either direction. Properties: what decodes encodes
// to a payload of the promised size that decodes to the same; tables among the arguments have been validated;
// an error is one of those that the headers name.
#include <variant>
#include <vector>

#include "fuzz/amqp091_check.h"
#include "protocol/amqp091/codec/methods.h"

namespace weir::amqp091 {
namespace {

class ArgumentCheck {
 public:
  void operator()(const auto&... arguments) { (check(arguments), ...); }

 private:
  void check(const TableBytes& table) { WEIR_ASSERT(validate_table(table.content)); }
  void check(std::string_view text) {
    WEIR_ASSERT(text.size() <= short_string_bytes_max && valid_utf8(text));
  }
  void check(const auto&) {}
};

void run(Bytes payload) {
  const auto decoded = decode_method(payload);
  if (!decoded) {
    const ReplyCode code = decoded.error().code;
    WEIR_ASSERT(code == ReplyCode::frame_error || code == ReplyCode::syntax_error ||
                code == ReplyCode::not_implemented);
    WEIR_ASSERT((code == ReplyCode::not_implemented) ==
                (payload.size() >= method_id_bytes && find_method(method_id_of(payload)) == nullptr));
    return;
  }
  std::visit(
      [&](const auto& method) {
        ArgumentCheck check;
        method.fields(method, check);
        WEIR_ASSERT(method_payload_bytes(method) == payload.size());
      },
      *decoded);

  std::vector<std::byte> frame;
  append_any_method_frame(frame, 1, *decoded);
  const auto taken = decode_frame(frame, ~std::uint32_t{0});
  WEIR_ASSERT(taken.answer == DecodedFrame::Answer::frame && taken.bytes == frame.size());
  const auto again = decode_method(taken.frame.payload);
  WEIR_ASSERT(again && *again == *decoded);
}

}  // namespace
}  // namespace weir::amqp091

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::amqp091::run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
