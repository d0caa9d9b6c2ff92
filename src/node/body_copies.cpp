#include "node/body_copies.h"

#include <utility>

#include "node/publish_batch.h"
#include "node/session_routes.h"

namespace weir::node {

BodyCopies::~BodyCopies() {
  for (const auto& [number, copy] : copies_) bodies_.cancel(*copy);
}

void BodyCopies::begin(std::uint64_t end, std::vector<ShardId> shards, Done done) {
  if (++last_ == 0) ++last_;
  auto& copy = copies_[last_];
  copy = std::make_unique<Copy>();
  copy->owner = this;
  copy->number = last_;
  copy->end = end;
  copy->shards = std::move(shards);
  copy->done = std::move(done);
  bodies_.hold(end);
  copy->pieces = bodies_.pieces(end);
  if (bodies_.is_broken(end))
    return finish(*copy, fail(ErrorCode::corrupt, "pieces of a large body are lost"));
  go_on(*copy);
}

void BodyCopies::go_on(Copy& copy) {
  if (copy.reading || copy.on_way_bytes > limits::body_window_bytes) return;
  if (copy.next == copy.pieces) return finish(copy, {});
  copy.reading = true;
  bodies_.read(copy.end, copy.next, copy);
}

void BodyCopies::take_piece(Copy& copy, Result<BodyBytes> piece) {
  copy.reading = false;
  if (!piece) return finish(copy, std::unexpected(std::move(piece.error())));
  ++copy.next;
  for (const ShardId shard : copy.shards) {
    copy.on_way_bytes += piece->bytes.size();
    add_body_piece(outbox_.batch<PublishBatch>(shard), {internal_session(self_), copy.number, 0}, copy.number,
                   piece->bytes, piece->chunk);
  }
  go_on(copy);
}

void BodyCopies::take_ack(const PublishAck& ack) {
  const auto at = copies_.find(ack.publisher);
  if (at == copies_.end()) return;
  at->second->on_way_bytes -= ack.bytes;
  go_on(*at->second);
}

void BodyCopies::finish(Copy& copy, Status status) {
  const auto at = copies_.find(copy.number);
  const std::unique_ptr<Copy> ended = std::move(at->second);
  copies_.erase(at);
  if (!status) {
    for (const ShardId shard : ended->shards)
      add_body_end(outbox_.batch<PublishBatch>(shard), internal_session(self_), ended->number);
  }
  ended->done(std::move(status), ended->number);
  bodies_.release(ended->end);
}

}  // namespace weir::node
