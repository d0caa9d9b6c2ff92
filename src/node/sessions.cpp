#include "node/sessions.h"

#include <algorithm>

#include "broker/texts.h"
#include "node/shard_session.h"
#include "node/walk.h"

namespace weir::node {

namespace {
// The wall clock may be set: it is looked at this often.
constexpr std::uint64_t expiry_check_ms = 10'000;
}  // namespace

Sessions::~Sessions() {
  surroundings_.timers.cancel(hold_timer_);
  surroundings_.timers.cancel(expiry_timer_);
}

Result<std::unique_ptr<Session>> Sessions::open(SessionInfo info, SessionEvents& events) {
  const broker::Topology& topology = surroundings_.topology;
  if (topology.find_vhost(info.vhost) == nullptr) return broker::no_such_vhost(info.vhost);
  const SessionId id = session_id(surroundings_.self, protocol_named(info.protocol), next_);
  Result<Tenancy> tenancy = Tenancy::enter(topology, surroundings_.tenants, info.user, info.vhost,
                                           protocol_of(id) != Protocol::none);
  if (!tenancy) return std::unexpected(std::move(tenancy).error());
  WEIR_TRY(topology.authorize_vhost({info.user, info.grants.get()}, info.vhost));
  ++next_;
  auto session = std::make_unique<ShardSession>(*this, id, std::move(info), std::move(*tenancy), events);
  sessions_.emplace(id, session.get());
  if (is_of_client(id)) ++clients_;
  if (const std::uint64_t expires_ms = session->info().expires_ms; expires_ms != 0) end_at(id, expires_ms);
  if (!flow_open_) session->set_shard_flow(false, alarm_);
  return session;
}

void Sessions::refresh_limits() {
  for (auto& [id, session] : sessions_) session->refresh_rates();
}

void Sessions::refresh_tracing(std::string_view vhost) {
  for (auto& [id, session] : sessions_) {
    if (session->info().vhost == vhost) session->refresh_tracing();
  }
}

// --- publishers that are ahead of their rate ---

void Sessions::hold_until(SessionId session, std::uint64_t monotonic_ns) {
  held_.emplace(monotonic_ns, session);
  arm_hold_timer();
}

void Sessions::arm_hold_timer() {
  if (held_.empty()) return;
  const std::uint64_t now_ns = surroundings_.clock.monotonic_ns(), at_ns = held_.begin()->first;
  surroundings_.timers.arm(hold_timer_, at_ns <= now_ns ? 0 : (at_ns - now_ns) / 1'000'000 + 1);
}

void Sessions::on_hold_timer() {
  const std::uint64_t now_ns = surroundings_.clock.monotonic_ns();
  while (!held_.empty() && held_.begin()->first <= now_ns) {
    const SessionId id = held_.begin()->second;
    held_.erase(held_.begin());
    if (ShardSession* const session = find(id)) session->go_on();
  }
  arm_hold_timer();
}

// --- credentials that expire ---

void Sessions::end_at(SessionId session, std::uint64_t wall_ms) {
  expiring_.emplace(wall_ms, session);
  arm_expiry_timer();
}

void Sessions::arm_expiry_timer() {
  if (expiring_.empty()) return;
  const std::uint64_t now_ms = surroundings_.clock.wall_ms(), at_ms = expiring_.begin()->first;
  surroundings_.timers.arm(expiry_timer_, at_ms <= now_ms ? 0 : std::min(at_ms - now_ms, expiry_check_ms));
}

void Sessions::on_expiry_timer() {
  const std::uint64_t now_ms = surroundings_.clock.wall_ms();
  while (!expiring_.empty() && expiring_.begin()->first <= now_ms) {
    const SessionId id = expiring_.begin()->second;
    expiring_.erase(expiring_.begin());
    ShardSession* const session = find(id);
    if (session != nullptr && session->info().expires_ms <= now_ms)
      session->events().on_close_wanted({ErrorCode::closed, "credential expired"});
  }
  arm_expiry_timer();
}

ShardSession* Sessions::find(SessionId id) {
  if (last_ != nullptr && last_->id() == id) return last_;
  const auto at = sessions_.find(id);
  if (at == sessions_.end()) return nullptr;
  last_ = at->second;
  return last_;
}

void Sessions::end_turn() {
  for (std::size_t i = 0; i < confirming_.size(); ++i) {
    if (ShardSession* const session = find(confirming_[i])) session->tell_confirms();
  }
  confirming_.clear();
}

void Sessions::after_writes() {
  for (std::size_t i = 0; i < granting_.size(); ++i) {
    if (ShardSession* const session = find(granting_[i])) session->give_back_windows();
  }
  granting_.clear();
}

void Sessions::set_flow(bool open, const std::string& alarm) {
  if (flow_open_ == open && alarm_ == alarm) return;
  flow_open_ = open;
  alarm_ = alarm;
  std::vector<SessionId> ids;
  for (const auto& [id, session] : sessions_) ids.push_back(id);
  for (const SessionId id : ids) {
    if (ShardSession* const session = find(id)) session->set_shard_flow(open, alarm);
  }
}

void Sessions::close_all(const Error& reason) {
  close_if([](const SessionInfo&) { return true; }, reason);
}

void Sessions::close_if(const std::function<bool(const SessionInfo&)>& unwanted, const Error& reason) {
  std::vector<SessionId> ids;
  for (const auto& [id, session] : sessions_) {
    if (unwanted(session->info())) ids.push_back(id);
  }
  for (const SessionId id : ids) {
    if (ShardSession* const session = find(id)) session->events().on_close_wanted(reason);
  }
}

void Sessions::close(SessionId id, const Error& reason) {
  if (ShardSession* const session = find(id)) session->events().on_close_wanted(reason);
}

std::vector<SessionId> Sessions::ids() const {
  std::vector<SessionId> ids;
  ids.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_) ids.push_back(id);
  return ids;
}

bool Sessions::sample(const std::vector<SessionId>& ids, std::size_t& at, std::size_t max) {
  for (; max > 0 && at < ids.size(); --max, ++at) {
    if (ShardSession* const session = find(ids[at])) session->events().on_sample();
  }
  return at < ids.size();
}

void Sessions::put_back(ShardId from, SessionId session, ConsumerNumber consumer, QueueId queue, Seq seq,
                        Outcome outcome) {
  const SettleItem item{session, consumer, queue, seq, 1, outcome};
  if (from == surroundings_.self) {
    surroundings_.host.settle(item);
  } else {
    surroundings_.outbox.batch<SettleBatch>(from).items.push_back(item);
  }
}

void Sessions::take_delivery(ShardId from, const DeliverItem& item) {
  if (ShardSession* const session = find(item.session)) return session->take_delivery(from, item);
  if (!item.looked_at) put_back(from, item.session, item.consumer, item.queue, item.seq);
}

void Sessions::take_ack(ShardId from, const PublishAck& ack) {
  if (is_internal(ack.session)) return surroundings_.host.take_ack(from, ack);
  if (ShardSession* const session = find(ack.session)) session->take_ack(from, ack);
}

void Sessions::take_reply(SessionReply reply) {
  if (ShardSession* const session = find(reply.session)) return session->take_reply(std::move(reply));
  if (!reply.what) return;
  if (const auto* const walked = std::get_if<WalkedRef>(&*reply.what);
      walked != nullptr && (*walked)->what == WalkOptions::Do::take) {
    for (const WalkedMessage& message : (*walked)->messages)
      put_back((*walked)->from, reply.session, no_consumer, (*walked)->queue, message.seq, Outcome::restore);
    return;
  }
  const auto* got = std::get_if<GotMessage>(&*reply.what);
  if (got == nullptr || !got->there) return;
  const broker::QueueDefinition* const queue = surroundings_.topology.find_queue(got->queue);
  if (queue != nullptr) put_back(queue->shard, reply.session, no_consumer, got->queue, got->seq);
  const auto pieces = broker::view_extras(broker::view_envelope(got->envelope).extras).pieces;
  if (!pieces) return;
  const QueueRequest release{reply.session, ReleaseBodyRequest{pieces->last.value + 1}};
  if (got->from == surroundings_.self) return surroundings_.host.request(release);
  surroundings_.outbox.add(got->from, std::make_unique<QueueRequest>(release));
}

void Sessions::take_body_piece(BodyPieceRead read) {
  if (ShardSession* const session = find(read.session)) session->take_body_piece(std::move(read));
}

void Sessions::take_consumer_gone(const ConsumerGone& gone) {
  if (ShardSession* const session = find(gone.session)) session->take_consumer_gone(gone);
}

void Sessions::take_pool_news(const PoolNews& news) {
  if (ShardSession* const session = find(news.session)) session->take_pool_news(news);
}

void Sessions::take_direct(const ReplyMessage& message) {
  if (ShardSession* const session = find(message.to.session)) session->take_direct(message);
}

SessionReply Sessions::probe(const ReplyProbe& probe) {
  ShardSession* const session = find(probe.to.session);
  if (session != nullptr && session->listener(probe.to) != no_consumer)
    return {probe.from, QueueStatus{probe.key, QueueId{}, 0, 1}};
  return {probe.from, fail(ErrorCode::not_found, "nobody waits for replies there")};
}

}  // namespace weir::node
