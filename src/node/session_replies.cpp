// A session's direct replies and shared prefetches.
#include "base/limits.h"
#include "broker/message.h"
#include "node/session_routes.h"
#include "node/shard_session.h"

namespace weir::node {

// --- direct replies ---

std::string ShardSession::make_reply_key(ConsumerNumber consumer) {
  listeners_.push_back({make_reply_address(id_), consumer});
  return reply_key_of(listeners_.back().address);
}

void ShardSession::drop_reply_key(ConsumerNumber consumer) {
  std::erase_if(listeners_, [&](const Listener& listener) { return listener.consumer == consumer; });
}

ConsumerNumber ShardSession::listener(const ReplyAddress& address) const {
  for (const Listener& listener : listeners_) {
    if (same_secret(listener.address, address)) return listener.consumer;
  }
  return no_consumer;
}

void ShardSession::probe_reply_key(std::string key) {
  begin(Request::queue);
  const std::optional<ReplyAddress> address = parse_reply_key(key);
  const ShardId shard = address ? shard_of(address->session) : at_.self;
  if (!address || shard.value >= at_.shards)
    return finish(fail(ErrorCode::not_found, "nobody waits for replies there"));
  ReplyProbe probe{id_, *address, std::move(key)};
  if (shard == at_.self) return take_reply(home_.probe(probe));
  at_.outbox.add(shard, std::make_unique<ReplyProbe>(std::move(probe)));
}

// To nobody, if nobody is there: like a message that no queue takes.
void ShardSession::send_reply(const Publish& publish, std::string_view key) {
  const std::optional<ReplyAddress> address = parse_reply_key(key);
  if (!address) return;
  const ShardId shard = shard_of(address->session);
  if (shard.value >= at_.shards) return;
  ReplyMessage message{*address, ChunkRef::adopt(Chunk::make(broker::envelope_bytes(publish.message)))};
  broker::encode_envelope(publish.message, at_.host.wall_ms(), message.envelope->data());
  if (shard == at_.self) return home_.take_direct(message);
  at_.outbox.add(shard, std::make_unique<ReplyMessage>(std::move(message)));
}

void ShardSession::take_direct(const ReplyMessage& message) {
  const ConsumerNumber consumer = listener(message.to);
  if (consumer == no_consumer) return;
  if (congested_) {
    unread_reply_bytes_ += message.envelope->capacity();
    if (unread_reply_bytes_ > limits::unread_replies_bytes_max) return;
  }
  events_.on_delivery({consumer, false, QueueId{}, Seq{}, broker::view_envelope(message.envelope->data()),
                       message.envelope.get()});
}

// --- shared prefetches ---

void ShardSession::set_pool_prefetch(PoolNumber number, std::uint32_t prefetch) {
  PrefetchPool& pool = pools_[number];
  pool.set_limit(prefetch);
  lend(number, pool);
}

void ShardSession::join_pool(ConsumerNumber consumer, PoolNumber number) {
  const auto at = consumers_.find(consumer);
  if (at != consumers_.end()) to_queue(at->second.shard, JoinPoolRequest{consumer, number});
}

void ShardSession::add_pool_out(PoolNumber number, std::int64_t count) {
  const auto at = pools_.find(number);
  if (at == pools_.end()) return;
  at->second.add_out(count);
  if (count < 0) lend(number, at->second);
}

void ShardSession::take_pool_news(const PoolNews& news) {
  const auto at = pools_.find(news.pool);
  if (at == pools_.end()) return;
  at->second.add_out(news.out);
  if (news.wanted > 0) at->second.ask(news.from, news.wanted);
  lend(news.pool, at->second);
}

void ShardSession::lend(PoolNumber number, PrefetchPool& pool) {
  pool.lend([&](ShardId shard, std::uint32_t credit) { to_queue(shard, PoolGrant{number, credit}); });
}

}  // namespace weir::node
