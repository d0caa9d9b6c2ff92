// Large bodies on their way to the client: read piece by piece as the socket takes them. Until a body has left, the output
// behind it waits.
#include <fmt/format.h>

#include <algorithm>

#include "protocol/amqp091/connection.h"

namespace weir::amqp091 {

// The body frames of a piece, between them only the end of one and the beginning of the next.
void Connection::write_piece(std::uint32_t of, const node::BodyPiece& piece) {
  const auto channel = static_cast<std::uint16_t>(of);
  const std::size_t frames = body_frame_count(piece.bytes.size(), frame_max_);
  const ChunkRef between =
      ChunkRef::adopt(Chunk::make(std::max<std::size_t>(1, frames * frame_overhead_bytes)));
  std::byte* at = between->data();
  std::byte* begin = at;
  for (Bytes rest = piece.bytes; !rest.empty();) {
    const Bytes part = rest.first(std::min(rest.size(), body_payload_max(frame_max_)));
    at = write_body_frame_header(at, channel, part.size());
    output_.fill(between, {begin, at});
    output_.fill(ChunkRef::share(piece.chunk), part);
    begin = at;
    at = write_frame_end(at);
    rest = rest.subspan(part.size());
  }
  if (at != begin) output_.fill(between, {begin, at});
}

void Connection::on_body_lost(std::string_view why) {
  fail(ReplyCode::internal_error, fmt::format("a large message can't be read back: {}", why),
       BasicDeliver::info.id);
}

}  // namespace weir::amqp091
