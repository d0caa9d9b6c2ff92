// Consumers that share a prefetch: credit is borrowed from their session (node/prefetch_pool.h).
#include <algorithm>
#include <utility>

#include "node/queue_host.h"

namespace weir::node {

using broker::Consumer;
using broker::Queue;
using broker::SharedCredit;

namespace {
// Asked for at once, at most: what one shard has, another one waits for.
constexpr std::uint64_t credit_wanted_max = 256;
}  // namespace

void QueueHost::join(Link& link, Consumer& consumer, PoolNumber number) {
  auto& pool = link.pools[number];
  if (pool == nullptr) {
    pool = std::make_unique<SharedCredit>();
    pool->number = number;
    ++pools_;
  }
  consumer.shared = pool.get();
}

void QueueHost::leave_pool(Link& link, SharedCredit* pool) {
  const auto shares = [pool](const auto& one) { return one.second->shared == pool; };
  if (std::any_of(link.consumers.begin(), link.consumers.end(), shares)) return;
  const PoolNews unused{.session = link.session, .pool = pool->number, .out = -std::int64_t{pool->credit}};
  link.pools.erase(unused.pool);
  --pools_;
  if (unused.out < 0) routes_.pool_news(unused);
}

void QueueHost::on_request(SessionId session, JoinPoolRequest& request) {
  Consumer* const joining = consumer(session, request.consumer);
  if (joining == nullptr || joining->no_ack || joining->shared != nullptr) return;
  join(link(session), *joining, request.pool);
  if (joining->unacked > 0)
    routes_.pool_news({.session = session, .pool = request.pool, .out = joining->unacked});
}

void QueueHost::on_request(SessionId session, PoolGrant& grant) {
  const auto at = links_.find(session);
  SharedCredit* pool = nullptr;
  if (at != links_.end()) {
    const auto found = at->second->pools.find(grant.pool);
    if (found != at->second->pools.end()) pool = found->second.get();
  }
  if (pool == nullptr) {
    return routes_.pool_news({.session = session, .pool = grant.pool, .out = -std::int64_t{grant.credit}});
  }
  pool->credit += grant.credit;
  pool->asked = false;
  lent_.emplace_back(session, grant.pool);
  for (auto& [number, consumer] : at->second->consumers) {
    if (consumer->shared != pool) continue;
    consumer->queue->reconsider(*consumer);
    mark_dirty(*consumer->queue);
  }
}

// For consumers that could take its messages if they had credit.
void QueueHost::want_credit(QueueId of) {
  const Queue* const blocked = queue(of);
  if (blocked == nullptr || blocked->ready() == 0) return;
  for (const Consumer* consumer : blocked->consumers()) {
    SharedCredit* const pool = consumer->shared;
    if (pool == nullptr || pool->asked || pool->credit > 0 || !consumer->can_take_with_credit()) continue;
    pool->asked = true;
    const auto wanted =
        static_cast<std::uint32_t>(std::clamp<std::uint64_t>(blocked->ready(), 1, credit_wanted_max));
    credit_wishes_.push_back({.session = consumer->session, .pool = pool->number, .wanted = wanted});
  }
}

// A message is on its way to be delivered with it.
bool QueueHost::needs_credit(const Link& link, const SharedCredit& pool) {
  return std::any_of(link.consumers.begin(), link.consumers.end(), [&](const auto& one) {
    return one.second->shared == &pool && (one.second->queue->dirty || one.second->queue->loading);
  });
}

void QueueHost::settle_credit() {
  std::erase_if(lent_, [&](const std::pair<SessionId, PoolNumber>& lent) {
    const auto at = links_.find(lent.first);
    if (at == links_.end()) return true;
    const auto found = at->second->pools.find(lent.second);
    if (found == at->second->pools.end() || found->second->credit == 0) return true;
    SharedCredit& pool = *found->second;
    if (needs_credit(*at->second, pool)) return false;
    credit_wishes_.push_back(
        {.session = lent.first, .pool = lent.second, .out = -std::int64_t{std::exchange(pool.credit, 0U)}});
    return true;
  });
  const std::vector<PoolNews> wishes = std::exchange(credit_wishes_, {});
  for (const PoolNews& news : wishes) routes_.pool_news(news);
}

}  // namespace weir::node
