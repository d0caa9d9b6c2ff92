#include "node/publish_batch.h"

namespace weir::node {

namespace {

// A body up to this size is copied into the batch for another shard; a larger one is referred to where it was received.
constexpr std::size_t copy_body_bytes_max = 256;

}  // namespace

void add_publish(PublishBatch& batch, const Origin& origin, const broker::IncomingMessage& message,
                 Chunk* chunk, std::span<const broker::Target> targets, BodyNumber body) {
  PublishItem item;
  item.session = origin.session;
  item.publisher = origin.publisher;
  item.seq = origin.seq;
  item.body = body;
  item.native = message.native;
  item.persistent = message.persistent;
  item.priority = message.priority;
  item.exchange_bytes = static_cast<std::uint8_t>(message.exchange.size());
  item.routing_key_bytes = static_cast<std::uint8_t>(message.routing_key.size());
  item.extras_bytes = static_cast<std::uint16_t>(message.extras.size());
  item.properties_bytes = static_cast<std::uint32_t>(message.properties.size());
  item.body_bytes = static_cast<std::uint32_t>(message.body_bytes);
  item.first_target = static_cast<std::uint32_t>(batch.targets.size());
  item.targets = static_cast<std::uint32_t>(targets.size());
  batch.targets.insert(batch.targets.end(), targets.begin(), targets.end());
  item.text_at = batch.text.size();
  const auto add_text = [&](Bytes bytes) { batch.text.insert(batch.text.end(), bytes.begin(), bytes.end()); };
  add_text(as_bytes(message.exchange));
  add_text(as_bytes(message.routing_key));
  add_text(message.extras);
  add_text(message.properties);
  if (message.body_bytes <= copy_body_bytes_max || chunk == nullptr) {
    for (const Bytes piece : message.body) add_text(piece);
  } else {
    item.first_piece = static_cast<std::uint32_t>(batch.pieces.size());
    item.pieces = static_cast<std::uint32_t>(message.body.size());
    batch.pieces.insert(batch.pieces.end(), message.body.begin(), message.body.end());
    hold(batch.holds, chunk);
  }
  batch.items.push_back(item);
}

BatchedMessage::BatchedMessage(const PublishBatch& batch, const PublishItem& item) {
  const std::byte* text = batch.text.data() + item.text_at;
  message_.native = item.native;
  message_.persistent = item.persistent;
  message_.priority = item.priority;
  message_.exchange = as_text({text, item.exchange_bytes});
  text += item.exchange_bytes;
  message_.routing_key = as_text({text, item.routing_key_bytes});
  text += item.routing_key_bytes;
  message_.extras = {text, item.extras_bytes};
  text += item.extras_bytes;
  message_.properties = {text, item.properties_bytes};
  text += item.properties_bytes;
  message_.body_bytes = item.body_bytes;
  copied_ = {text, item.body_bytes};
  message_.body = item.pieces == 0 ? std::span<const Bytes>(&copied_, 1)
                                   : std::span(batch.pieces).subspan(item.first_piece, item.pieces);
}

void add_body_piece(PublishBatch& batch, const Origin& origin, BodyNumber body, const Bytes& piece,
                    Chunk* chunk) {
  broker::IncomingMessage message;
  message.body = {&piece, 1};
  message.body_bytes = piece.size();
  add_publish(batch, origin, message, chunk, {}, body);
  batch.items.back().part = PublishPart::body_piece;
}

void add_body_end(PublishBatch& batch, SessionId session, BodyNumber body) {
  PublishItem item;
  item.session = session;
  item.body = body;
  item.part = PublishPart::body_end;
  batch.items.push_back(item);
}

}  // namespace weir::node
