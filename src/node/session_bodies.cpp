// Large bodies of a session: on their way in, piece by piece, to all shards that they are for; and out, as they are read.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "broker/message_extras.h"
#include "node/publish_batch.h"
#include "node/shard_session.h"
#include "node/walk.h"

namespace weir::node {

// --- in ---

// While a large body is on its way, it has a smaller window than many messages.
std::uint64_t ShardSession::window_bytes() const {
  return open_bodies_.empty() ? limits::publish_window_bytes : limits::body_window_bytes;
}

Result<BodyBegun> ShardSession::begin_body(const Publish& publish) {
  const Result<std::span<const broker::Target>> route = find_route(publish);
  if (!route) return std::unexpected(route.error());
  if (route->empty()) return BodyBegun{};
  OpenBody& open = open_bodies_[++last_body_];
  open.targets.assign(route->begin(), route->end());
  open.left_bytes = publish.message.body_bytes;
  for (const broker::Target& target : open.targets) {
    if (open.shards.empty() || open.shards.back() != target.shard) open.shards.push_back(target.shard);
  }
  window_shrunk();
  return BodyBegun{last_body_, reached(open.targets)};
}

void ShardSession::append_body(BodyNumber body, Bytes piece, Chunk* chunk) {
  OpenBody& open = open_bodies_.at(body);
  WEIR_ASSERT(piece.size() <= std::min<std::uint64_t>(open.left_bytes, at_.body_sizes.piece_bytes));
  open.left_bytes -= piece.size();
  for (const ShardId shard : open.shards) {
    unsafe_bytes_ += piece.size();
    if (shard == at_.self) {
      at_.host.append_body({id_, 0, 0}, body, {&piece, 1}, piece.size());
    } else {
      add_body_piece(at_.outbox.batch<PublishBatch>(shard), {id_, 0, 0}, body, piece, chunk);
    }
  }
  window_shrunk();
}

void ShardSession::finish_body(BodyNumber body, const Publish& publish) {
  const std::uint32_t publisher = note_published(publish);
  const std::string_view exchange = publish.message.exchange;
  const bool there = at_.topology.find_exchange(info_.vhost, exchange) != nullptr;
  exchange_ = there ? &use_of(exchange) : nullptr;
  if (body == no_body) return count_publish(publish, {});
  const auto at = open_bodies_.find(body);
  count_publish(publish, at->second.targets);
  OpenBody open = std::move(at->second);
  open_bodies_.erase(at);
  WEIR_ASSERT(open.left_bytes == 0);
  Publish without_body = publish;
  without_body.message.body = {};
  without_body.message.body_bytes = 0;
  without_body.chunk = nullptr;
  std::erase_if(open.targets, [&](const broker::Target& target) {
    return at_.topology.find_queue(target.queue) == nullptr;  // deleted since the route was found
  });
  send_all(without_body, publisher, open.targets, body);
  end_body(open.shards, body);
}

void ShardSession::abort_body(BodyNumber body) {
  const auto at = open_bodies_.find(body);
  const OpenBody open = std::move(at->second);
  open_bodies_.erase(at);
  end_body(open.shards, body);
}

void ShardSession::end_body(const std::vector<ShardId>& shards, BodyNumber body) {
  for (const ShardId shard : shards) {
    if (shard == at_.self) {
      at_.host.end_body(id_, body);
    } else {
      add_body_end(at_.outbox.batch<PublishBatch>(shard), id_, body);
    }
  }
}

// One that came as a whole.
Result<PublishResult> ShardSession::publish_large(const Publish& publish) {
  const Result<BodyBegun> begun = begin_body(publish);
  if (!begun) return std::unexpected(begun.error());
  const BodyNumber body = begun->body;
  if (body != no_body) {
    for (Bytes rest : publish.message.body) {
      while (!rest.empty()) {
        const Bytes piece = rest.first(std::min(rest.size(), at_.body_sizes.piece_bytes));
        append_body(body, piece, publish.chunk);
        rest = rest.subspan(piece.size());
      }
    }
  }
  finish_body(body, publish);
  return begun->result;
}

// --- out ---

void ShardSession::open_delivered_body(ShardId from, Delivery& delivery) {
  const auto pieces = broker::view_extras(delivery.message.extras).pieces;
  if (!pieces) return;
  delivery.body = ++last_body_;
  delivery.body_bytes = pieces->bytes;
  readings_.emplace(delivery.body, Reading{from, pieces->last.value + 1, 0, 0, {}});
}

void ShardSession::open_walked_bodies(Walked& walked) {
  for (WalkedMessage& message : walked.messages) {
    if (message.body == no_body) continue;
    const auto pieces = broker::view_extras(message.message().extras).pieces;
    message.body = ++last_body_;
    readings_.emplace(message.body, Reading{walked.from, pieces->last.value + 1, 0, 0, {}});
  }
}

void ShardSession::read_body(BodyNumber body) {
  Reading& reading = readings_.at(body);
  to_queue(reading.from, ReadBodyRequest{reading.end, reading.asked++, body});
}

void ShardSession::close_body(BodyNumber body) {
  const auto at = readings_.find(body);
  WEIR_ASSERT(at != readings_.end());
  to_queue(at->second.from, ReleaseBodyRequest{at->second.end});
  readings_.erase(at);
}

void ShardSession::take_body_piece(BodyPieceRead read) {
  const BodyNumber body = read.reader;
  auto at = readings_.find(body);
  if (at == readings_.end()) return;
  if (read.number != at->second.told) {
    at->second.early.emplace(read.number, std::move(read));
    return;
  }
  while (true) {
    ++at->second.told;
    if (!read.piece) return events_.on_body_piece(body, std::unexpected(std::move(read.piece.error())));
    events_.on_body_piece(body, BodyPiece{*read.piece, read.chunk.get()});
    at = readings_.find(body);  // the event may have closed it, and opened others
    if (at == readings_.end()) return;
    const auto next = at->second.early.find(at->second.told);
    if (next == at->second.early.end()) return;
    read = std::move(next->second);
    at->second.early.erase(next);
  }
}

}  // namespace weir::node
