// Input: u8, from which frame-max is made; then a stream as a peer sends it. Properties: each frame is the
// same whether the input ends with it or goes on; one byte less needs exactly as many bytes as the frame then
// took; what is written from a frame's fields is the frame; nothing is refused that fits.
#include <cstring>
#include <vector>

#include "fuzz/amqp091_check.h"
#include "protocol/amqp091/codec/frame.h"

namespace weir::amqp091 {
namespace {

using Answer = DecodedFrame::Answer;

void check_frame(Bytes taken, const Frame& frame, std::uint32_t frame_max) {
  const auto alone = decode_frame(taken, frame_max);
  WEIR_ASSERT(alone.answer == Answer::frame && alone.bytes == taken.size());
  WEIR_ASSERT(taken.size() == frame.payload.size() + frame_overhead_bytes && taken.size() <= frame_max);

  const auto shorter = decode_frame(taken.first(taken.size() - 1), frame_max);
  WEIR_ASSERT(shorter.answer == Answer::need_more && shorter.bytes == taken.size());

  std::vector<std::byte> written(taken.size());
  std::byte* to = write_frame_header(written.data(), frame.type, frame.channel,
                                     static_cast<std::uint32_t>(frame.payload.size()));
  if (!frame.payload.empty()) std::memcpy(to, frame.payload.data(), frame.payload.size());
  to = write_frame_end(to + frame.payload.size());
  WEIR_ASSERT(to == written.data() + written.size() && same_bytes(written, taken));
}

void run(Bytes input) {
  (void)decode_protocol_header(input);
  if (input.empty()) return;
  const std::uint32_t frame_max = frame_overhead_bytes + static_cast<std::uint32_t>(input[0]) * 16;
  input = input.subspan(1);
  while (true) {
    const auto decoded = decode_frame(input, frame_max);
    if (decoded.answer == Answer::error) {
      WEIR_ASSERT(decoded.error.code == ReplyCode::frame_error && !decoded.error.text.empty());
      return;
    }
    if (decoded.answer == Answer::need_more) {
      WEIR_ASSERT(decoded.bytes > input.size());
      return;
    }
    check_frame(input.first(decoded.bytes), decoded.frame, frame_max);
    input = input.subspan(decoded.bytes);
  }
}

}  // namespace
}  // namespace weir::amqp091

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::amqp091::run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
