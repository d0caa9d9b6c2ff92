// Large bodies on their way to the client: read piece by piece as the socket takes them. Until a body has left, the output
// behind it waits.
#include <algorithm>

#include "base/log.h"
#include "protocol/amqp091/connection.h"

namespace weir::amqp091 {

void Connection::begin_body(std::uint16_t channel, node::BodyNumber body, std::uint64_t bytes) {
  output_.open_gap();
  bodies_.push_back({channel, body, bytes, 0});
  be_congested();  // nothing more is wanted meanwhile
  if (bodies_.size() == 1) ask_for_pieces();
}

void Connection::ask_for_pieces() {
  const std::size_t piece_bytes = client_.body_sizes().piece_bytes;
  OutgoingBody& body = bodies_.front();
  // There are at least as many pieces left as full ones would be.
  while (body.asked < pieces_ahead_max && body.asked * piece_bytes < body.left_bytes &&
         output_.sendable_bytes() + body.asked * piece_bytes < outgoing_body_bytes) {
    ++body.asked;
    session_->read_body(body.body);
  }
}

void Connection::on_body_piece(node::BodyNumber number, Result<node::BodyPiece> piece) {
  if (bodies_.empty() || bodies_.front().body != number) return;
  OutgoingBody& body = bodies_.front();
  if (!piece || piece->bytes.size() > body.left_bytes) {
    return fail(
        ReplyCode::internal_error,
        "a large message can't be read back: " + (piece ? "it has another size" : piece.error().message),
        BasicDeliver::info.id);
  }
  --body.asked;
  body.left_bytes -= piece->bytes.size();
  write_piece(body.channel, *piece);
  if (body.left_bytes == 0) {
    session_->close_body(number);
    bodies_.pop_front();
    output_.close_gap();
  }
  if (!bodies_.empty()) ask_for_pieces();
  after_output();
}

// The body frames of a piece, between them only the end of one and the beginning of the next.
void Connection::write_piece(std::uint16_t channel, const node::BodyPiece& piece) {
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

void Connection::drop_bodies() {
  output_.drop_behind_gaps();
  bodies_.clear();
}

}  // namespace weir::amqp091
