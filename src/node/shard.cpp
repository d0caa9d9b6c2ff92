#include "node/shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "node/publish_batch.h"

namespace weir::node {

namespace {

// Settlements wait this long for a publish to ride with.
constexpr std::uint64_t riding_ms = 5;
// A quiet journal writes a mark after this, so that damage to its last commit would be noticed.
constexpr std::uint64_t mark_after_ms = 20;
constexpr std::uint64_t flow_check_ms = 50;
// Files that something still holds are looked at again after this, though nothing happens.
constexpr std::uint64_t reclaim_retry_ms = 1'000;
// Publishers wait while a commit takes longer.
constexpr std::uint64_t slow_commit_ms = 1'000;
// A snapshot that could not be written is tried again after this.
constexpr std::uint64_t snapshot_retry_ms = 1'000;
// A small snapshot is written anew after this much of log; when all is quiet, after less, or when definitions have changed.
constexpr std::uint64_t snapshot_refresh_bytes = 64U << 20;
constexpr std::uint64_t snapshot_refresh_quiet_bytes = 4U << 20;
constexpr std::size_t snapshot_refreshed_bytes_max = 256U << 10;
// Publishers are stopped while the journal has more than this to write, and go on below the lower mark.
constexpr std::uint64_t journal_behind_bytes = 32U << 20;
constexpr std::uint64_t journal_caught_up_bytes = 8U << 20;
// Sessions of the broker itself: no shard has this number.
constexpr std::uint64_t administration_shard = 0xffff;

}  // namespace

Shard::Shard(ShardOptions options, ShardSurroundings surroundings)
    : options_(std::move(options)),
      at_(std::move(surroundings)),
      outbox_(options_.shards, at_.peers),
      routes_(options_.id, sessions_, outbox_),
      host_(at_.clock, routes_, outbox_, topology_, options_.shards, at_.counters.transient_bytes,
            [this](QueueId queue, QueueEnd why) {
              to_meta({options_.id, false, {}, broker::AutoDeleteQueue{queue, why == QueueEnd::unused}});
            }),
      reports_({options_.id, topology_, outbox_, host_, at_.clock, options_.headers_of, options_.node_name,
                options_.event_vhost}),
      sessions_({options_.id, options_.shards, topology_, outbox_, host_,
                 [this](MetaRequest request) { to_meta(std::move(request)); }, at_.wake, at_.clock,
                 at_.timers, at_.counters.tenants, options_.auth.tokens, traffic_, exchange_uses_, reports_,
                 options_.body_sizes}),
      observer_({options_.id, options_.shards, at_.clock, topology_, outbox_, host_, sessions_,
                 exchange_uses_, at_.wake, [this] { return describe(); }}),
      meta_({options_.shards, topology_,
             [this](const Changes& changes, const std::string& user) { apply_everywhere(changes, user); },
             [this](SessionReply reply) { answer_meta(std::move(reply)); }},
            options_.seed),
      authenticator_(topology_, options_.auth, at_.clock, at_.offload),
      flows_(options_.shards) {
  host_.use_headers(options_.headers_of);
  host_.use_reports(reports_);
  if (options_.tracing != nullptr && options_.headers_of.text != nullptr)
    host_.use_tracing(*options_.tracing, options_.headers_of.text);
  host_.use_tenants(at_.counters.tenants);
  host_.use_traffic(traffic_);
  if (options_.sample_ms > 0) host_.keep_samples();
  host_.keep_log_for_ids(options_.journal.file_bytes_max / 2);
}

// The disk may still have the snapshot in hand.
Shard::~Shard() {
  while (snapshot_write_ != nullptr && at_.disk.in_flight() > 0) {
    at_.disk.submit();
    if (at_.disk.poll() == 0) std::this_thread::yield();
  }
}

// --- definitions ---

// The one way in which definitions change: live, and in replay.
void Shard::apply(const std::vector<broker::Change>& changes) {
  for (const broker::Change& change : changes) {
    std::vector<QueueId> gone;
    if (const auto* vhost = std::get_if<broker::RemoveVhost>(&change)) {
      gone = topology_.queue_ids(vhost->name);
    } else if (const auto* exchange = std::get_if<broker::RemoveExchange>(&change)) {
      if (const broker::QueueDefinition* own = topology_.find_own_queue(exchange->vhost, exchange->name))
        gone.push_back(own->id);
    } else if (const auto* removed = std::get_if<broker::RemoveQueue>(&change)) {
      gone.push_back(removed->id);
    }
    topology_.apply(change);
    for (const QueueId queue : gone) host_.remove(queue);
    after_apply(change);
    const auto* bound = std::get_if<broker::PutBinding>(&change);
    if (bound != nullptr && journal_ != nullptr) host_.tell_history(bound->binding);
  }
}

void Shard::after_apply(const broker::Change& change) {
  if (const auto* made = std::get_if<broker::PutQueue>(&change)) {
    if (made->queue.shard == options_.id) host_.create(made->queue);
  } else if (const auto* limit = std::get_if<broker::PutLimit>(&change)) {
    limit_changed(limit->limit.of, limit->limit.subject);
  } else if (const auto* no_limit = std::get_if<broker::RemoveLimit>(&change)) {
    limit_changed(no_limit->of, no_limit->subject);
  } else if (const auto* vhost = std::get_if<broker::RemoveVhost>(&change)) {
    limit_changed(broker::LimitOf::vhost, vhost->name);
    sessions_.close_if([&](const SessionInfo& info) { return info.vhost == vhost->name; },
                       {ErrorCode::closed, fmt::format("vhost '{}' is deleted", vhost->name)});
    exchange_uses_.remove_vhost(vhost->name);
    host_.journeys().trace(vhost->name, false);
  } else if (const auto* user = std::get_if<broker::RemoveUser>(&change)) {
    sessions_.close_if([&](const SessionInfo& info) { return info.user == user->name; },
                       {ErrorCode::closed, fmt::format("user '{}' is deleted", user->name)});
  } else if (const auto* put = std::get_if<broker::PutVhost>(&change)) {
    sessions_.refresh_tracing(put->vhost.name);
    host_.journeys().trace(put->vhost.name, put->vhost.tracing);
  } else if (const auto* exchange = std::get_if<broker::RemoveExchange>(&change)) {
    exchange_uses_.remove(exchange->vhost, exchange->name);
  }
  for (const QueueId id : topology_.redefined()) {
    const broker::QueueDefinition& queue = *topology_.find_queue(id);
    if (queue.shard == options_.id) host_.redefine(queue);
  }
}

void Shard::limit_changed(broker::LimitOf of, const std::string& subject) {
  if (of == broker::LimitOf::vhost) host_.refresh_limits(subject);
  sessions_.refresh_limits();
}

void Shard::apply_everywhere(const Changes& changes, const std::string& user) {
  if (reports_.wanted()) {
    for (const broker::Change& change : *changes) reports_.add(change, user);
  }
  apply(*changes);
  for (std::uint16_t shard = 0; shard < options_.shards; ++shard) {
    if (ShardId{shard} == options_.id) continue;
    outbox_.add(ShardId{shard}, ChangesMade{changes});
    // At once: whoever hears of a queue from us must not be able to reach its shard before this does.
    outbox_.flush_to(ShardId{shard});
  }
}

void Shard::to_meta(MetaRequest request) {
  if (options_.id.value == 0) return meta_.request(std::move(request));
  outbox_.add(ShardId{0}, std::make_unique<MetaRequest>(std::move(request)));
}

void Shard::answer_meta(SessionReply reply) {
  if (reply.session.value >> session_shard_shift != administration_shard)
    return routes_.reply(std::move(reply));
  const auto at = administering_.find(reply.session.value);
  if (at == administering_.end()) return;
  const auto done = std::move(at->second);
  administering_.erase(at);
  if (!reply.what) return done(std::unexpected(std::move(reply.what.error())));
  done(std::move(std::get<broker::Decision>(*reply.what)));
}

void Shard::administer(broker::Request request, std::function<void(Result<broker::Decision>)> done) {
  WEIR_ASSERT(options_.id.value == 0);
  const SessionId id{administration_shard << session_shard_shift | next_administering_++};
  administering_.emplace(id.value, std::move(done));
  // Session 0 in the actor would be the broker itself, but the reply needs an address: the decision knows both.
  meta_.request({options_.id, true, {std::string(), id}, std::move(request)});
}

// --- the turn ---

bool Shard::begin_turn() {
  host_.begin_turn();
  at_.inbox.drain(received_);
  const bool any = !received_.empty();
  for (ShardMessage& message : received_) receive(message);
  received_.clear();
  return any || has_work();
}

void Shard::end_turn() {
  if (failed_) return;
  if (reports_.has_work()) reports_.publish_events();
  host_.end_turn();
  care_for_checkpoint();
  observer_.step();
  sessions_.end_turn();
  update_flow();
  outbox_.flush();
  journal_->flush();
  at_.disk.submit();  // the disk works while the sockets are written
  hooks_.run();
  sessions_.after_writes();
  outbox_.flush();  // windows given back, and what the hooks asked for
  care_for_journal();
  if (const auto delay_ms = host_.next_alarm_in_ms()) at_.timers.arm(alarm_timer_, *delay_ms);
  if (options_.sample_ms > 0 && !sample_timer_.armed() && observer_.wants_samples())
    at_.timers.arm(sample_timer_, options_.sample_ms);
  if (has_work()) at_.wake();
}

void Shard::receive(ShardMessage& message) {
  struct Visitor {
    Shard& shard;
    void operator()(std::unique_ptr<PublishBatch>& batch) const { shard.receive_publishes(*batch); }
    void operator()(std::unique_ptr<TransactionBatch>& batch) const { shard.host_.commit(*batch); }
    void operator()(std::unique_ptr<PublishAckBatch>& batch) const {
      for (const PublishAck& ack : batch->acks) shard.sessions_.take_ack(batch->from, ack);
    }
    void operator()(std::unique_ptr<DeliverBatch>& batch) const {
      for (const DeliverItem& item : batch->items) shard.sessions_.take_delivery(batch->from, item);
    }
    void operator()(std::unique_ptr<SettleBatch>& batch) const {
      for (const SettleItem& item : batch->items) shard.host_.settle(item);
    }
    void operator()(std::unique_ptr<WindowBatch>& batch) const {
      for (const WindowGrant& grant : batch->grants) shard.host_.grant(grant);
    }
    void operator()(std::unique_ptr<QueueRequest>& request) const {
      shard.host_.request(std::move(*request));
    }
    void operator()(std::unique_ptr<MetaRequest>& request) const { shard.meta_.request(std::move(*request)); }
    void operator()(std::unique_ptr<SessionReply>& reply) const {
      shard.sessions_.take_reply(std::move(*reply));
    }
    void operator()(std::unique_ptr<BodyPieceRead>& read) const {
      shard.sessions_.take_body_piece(std::move(*read));
    }
    void operator()(std::unique_ptr<LettersSettled>& settled) const {
      shard.host_.letters_settled(settled->origins);
    }
    void operator()(std::unique_ptr<LettersAsked>& asked) const { shard.host_.letters_asked(*asked); }
    void operator()(std::unique_ptr<ReplyMessage>& message) const { shard.sessions_.take_direct(*message); }
    void operator()(std::unique_ptr<ReplyProbe>& probe) const {
      shard.routes_.reply(shard.sessions_.probe(*probe));
    }
    void operator()(std::unique_ptr<ObserveAsked>& asked) const { shard.observer_.asked(std::move(*asked)); }
    void operator()(std::unique_ptr<ObserveAnswer>& answer) const {
      shard.observer_.answered(std::move(*answer));
    }
    void operator()(std::unique_ptr<CloseSession>& close) const {
      shard.sessions_.close(close->session, close->reason);
    }
    void operator()(PoolNews& news) const { shard.sessions_.take_pool_news(news); }
    void operator()(ConsumerGone& gone) const { shard.sessions_.take_consumer_gone(gone); }
    void operator()(ChangesMade& made) const {
      shard.apply(*made.changes);
      shard.outbox_.add(ShardId{0}, ChangesApplied{shard.options_.id, ++shard.changes_applied_});
    }
    void operator()(ChangesApplied& applied) const { shard.meta_.on_applied(applied.from, applied.count); }
    void operator()(std::unique_ptr<FlowChanged>& flow) const {
      shard.set_flow_of(flow->from, flow->open, flow->alarm);
    }
    void operator()(Call& call) const { call.call(); }
  };
  std::visit(Visitor{*this}, message);
}

void Shard::receive_publishes(const PublishBatch& batch) {
  for (const PublishItem& item : batch.items) {
    const Origin origin{item.session, item.publisher, item.seq};
    if (item.part == PublishPart::body_end) {
      host_.end_body(item.session, item.body);
      continue;
    }
    const BatchedMessage message(batch, item);
    if (item.part == PublishPart::body_piece) {
      host_.append_body(origin, item.body, message.view().body, message.view().body_bytes);
    } else if (item.body != no_body) {
      host_.enqueue_large(targets_of(batch, item), message.view(), origin, item.body);
    } else {
      host_.enqueue(targets_of(batch, item), message.view(), origin);
    }
  }
}

// --- journal ---

void Shard::on_durable(Lsn up_to) {
  host_.on_durable(up_to);
  meta_.on_durable(up_to);
}

void Shard::on_journal_failed(const Error& error) {
  failed_ = true;
  log_error("store", "shard {}: the journal can't be written: {}", options_.id.value, error.message);
  at_.failed(error);
}

void Shard::care_for_journal() {
  if (reclaimed_ < journal_->reclaimable()) reclaim();
  if (!journal_->idle()) {
    if (!riding_timer_.armed()) at_.timers.arm(riding_timer_, riding_ms);
  } else if (marked_ < journal_->end() && !mark_timer_.armed()) {
    at_.timers.arm(mark_timer_, mark_after_ms);
  }
  refresh_snapshot(false);
  if (const unsigned ms = journal_->next_tend_ms(); ms > 0 && !background_timer_.armed())
    at_.timers.arm(background_timer_, ms);
}

// In the middle of a turn: what was settled before a publish goes with it, so that its confirm covers that.
void Shard::on_riding_timer() {
  if (failed_) return;
  host_.log_settlements();
  journal_->flush_riding();
}

void Shard::on_mark_timer() {
  if (failed_ || !journal_->idle() || marked_ == journal_->end()) return;
  journal_->write_mark();
  marked_ = journal_->end();
  refresh_snapshot(true);
}

void Shard::on_snapshot_written(std::int64_t result) {
  if (result >= 0 && !snapshot_write_->second.empty()) {
    at_.disk.write_file(storage::snapshot_path(options_.journal.directory, ++snapshot_generation_),
                        std::exchange(snapshot_write_->second, {}), *snapshot_write_);
    return;
  }
  if (result >= 0) {
    snapshot_lsn_ = snapshot_write_->lsn;
  } else {
    log_warning("store", "{}", errno_error(static_cast<int>(-result), "the definitions' snapshot").message);
    at_.timers.arm(snapshot_timer_, snapshot_retry_ms);
  }
  snapshot_write_.reset();
}

void Shard::write_snapshot() {
  if (snapshot_write_ != nullptr || snapshot_timer_.armed() || !meta_.idle()) return;
  std::vector<std::byte> contents;
  contents.reserve(snapshot_bytes_ + snapshot_bytes_ / 8);
  topology_.encode_durable_state(contents);
  const Lsn durable = journal_->durable();
  std::vector<std::byte> file = storage::encode_snapshot(durable, contents);
  snapshot_bytes_ = file.size();
  snapshot_write_ = std::make_unique<SnapshotWrite>(*this, durable, file);
  at_.disk.write_file(storage::snapshot_path(options_.journal.directory, ++snapshot_generation_),
                      std::move(file), *snapshot_write_);
}

// Where the log is damaged behind the snapshot, definitions may be lost: a small one is kept near the log's end.
void Shard::refresh_snapshot(bool quiet) {
  if (options_.id.value != 0 || meta_.newest_record() == Lsn{0} ||
      snapshot_bytes_ > snapshot_refreshed_bytes_max)
    return;
  const bool changed = meta_.newest_record() > snapshot_lsn_;
  const std::uint64_t behind = journal_->durable().value - std::min(journal_->durable(), snapshot_lsn_).value;
  if ((quiet && (changed || behind >= snapshot_refresh_quiet_bytes)) || behind >= snapshot_refresh_bytes)
    write_snapshot();
}

// What the journal says of definitions before `lsn` is in a snapshot; if not, one is begun, and the next turns come back to it.
bool Shard::definitions_are_safe(Lsn lsn) {
  if (meta_.newest_record() <= snapshot_lsn_ || lsn <= snapshot_lsn_) return true;
  write_snapshot();
  return false;
}

// Gives files back whose records are all done with.
void Shard::reclaim() {
  const Lsn up_to = journal_->reclaimable();
  if (!definitions_are_safe(up_to)) return;
  if (!host_.lets_go(up_to, !journal_->has_room())) {
    if (!background_timer_.armed()) at_.timers.arm(background_timer_, reclaim_retry_ms);
    return;
  }
  journal_->reclaim(up_to, host_.seqs_end());
  reclaimed_ = up_to;
}

// When all that was settled is in the journal.
void Shard::care_for_checkpoint() {
  journal_->tend();
  if (walk_ == nullptr) {
    if (!journal_->wants_checkpoint()) return;
    walk_ = std::make_unique<CheckpointWalk>(journal_->begin_checkpoint(), host_);
    walk_is_done_ = false;
  }
  if (!walk_->writer().active()) {  // the log has left it behind
    walk_.reset();
    return;
  }
  walk_is_done_ = walk_is_done_ || walk_->step();
  const Lsn from = walk_->writer().from();
  if (!walk_is_done_ || !definitions_are_safe(from) || !host_.lets_go(from, true)) return;
  walk_->writer().finish(journal_->end());
  walk_.reset();
}

// --- flow ---

void Shard::update_flow() {
  const Flow& now = flows_[options_.id.value];
  const std::uint64_t pending = journal_->pending_bytes();
  // Once above it, an eighth has to go before publishers may go on.
  const std::uint64_t transient_max =
      now.alarm == "memory" ? options_.transient_bytes_max / 8 * 7 : options_.transient_bytes_max;
  std::string alarm;
  if (!journal_->has_room()) {
    alarm = "disk";
  } else if (at_.counters.transient_bytes.load(std::memory_order_relaxed) > transient_max) {
    alarm = "memory";
  } else if (journal_->commit_age_ms() > slow_commit_ms) {
    alarm = "disk throughput";
  } else if (const char* of_machine = at_.counters.alarm.load(std::memory_order_relaxed)) {
    alarm = of_machine;
  }
  const bool behind = pending > (now.open ? journal_behind_bytes : journal_caught_up_bytes);
  const bool open = !behind && alarm.empty();
  if (!open && !flow_timer_.armed()) at_.timers.arm(flow_timer_, flow_check_ms);
  if (open == now.open && alarm == now.alarm) return;
  if (!alarm.empty() && alarm != now.alarm)
    log_warning("store", "shard {}: publishers wait: low on {}", options_.id.value, alarm);
  for (std::uint16_t shard = 0; shard < options_.shards; ++shard) {
    if (ShardId{shard} != options_.id) {
      outbox_.add(ShardId{shard}, std::make_unique<FlowChanged>(FlowChanged{options_.id, open, alarm}));
    }
  }
  if (alarm != now.alarm) tell_alarm(now.alarm, alarm);
  set_flow_of(options_.id, open, alarm);
}

void Shard::tell_alarm(const std::string& before, const std::string& now) {
  if (options_.id.value != 0 || !reports_.wanted()) return;
  broker::Table facts;
  facts.append("resource", {now.empty() ? before : now});
  reports_.add(now.empty() ? "alarm.cleared" : "alarm.set", std::move(facts));
}

// The turns that they make look again.
void Shard::on_flow_timer() {}
void Shard::on_snapshot_timer() {}
void Shard::on_background_timer() {}
void Shard::on_alarm_timer() {}

void Shard::set_flow_of(ShardId shard, bool open, const std::string& alarm) {
  flows_[shard.value] = {open, alarm};
  bool all_open = true;
  std::string first_alarm;
  for (const Flow& flow : flows_) {
    all_open = all_open && flow.open;
    if (first_alarm.empty()) first_alarm = flow.alarm;
  }
  sessions_.set_flow(all_open, first_alarm);
}

// --- sessions ---

std::unique_ptr<Authentication> Shard::authenticate(Credentials credentials,
                                                    std::function<void(Result<Identity>)> done) {
  Counters<SessionCount>& counts = traffic_.of(credentials.protocol).sessions;
  ++counts[SessionCount::logins];
  broker::Table facts;
  if (reports_.wanted()) {
    facts.append("name", {credentials.user});
    facts.append("protocol", {std::string(label_of(credentials.protocol))});
  }
  return authenticator_.check(
      std::move(credentials),
      [this, &counts, facts = std::move(facts), done = std::move(done)](Result<Identity> identity) mutable {
        if (!identity) ++counts[SessionCount::logins_refused];
        if (!facts.empty()) {
          if (!identity) facts.append("error", {identity.error().message});
          reports_.add(identity ? "user.authentication.success" : "user.authentication.failure",
                       std::move(facts));
          at_.wake();
        }
        done(std::move(identity));
      });
}

Result<std::unique_ptr<Session>> Shard::open_session(SessionInfo info, SessionEvents& events) {
  return sessions_.open(std::move(info), events);
}

// --- those who watch and administer ---

std::unique_ptr<Observing> Shard::observe(ObserveScope scope, std::function<void(Observed&&)> done) {
  return observer_.observe(std::move(scope), std::move(done));
}

void Shard::close_session(SessionId session, Error reason) {
  const ShardId home = shard_of(session);
  if (home.value >= options_.shards) return;
  if (home == options_.id) return sessions_.close(session, reason);
  outbox_.add(home, std::make_unique<CloseSession>(CloseSession{session, std::move(reason)}));
  at_.wake();
}

void Shard::count_error(Protocol protocol, std::uint32_t code, bool of_connection) {
  ++traffic_.of(protocol).errors[{code, of_connection}];
}

ShardRow Shard::describe() const {
  ShardRow row;
  row.shard = options_.id;
  row.queues = host_.queue_count();
  row.sessions = sessions_.count_clients();
  row.journal = journal_->stats();
  row.journal_pending_bytes = journal_->pending_bytes();
  row.messages = host_.stats();
  row.traffic = traffic_;
  row.letters_waiting = host_.letters_waiting();
  const Flow& flow = flows_[options_.id.value];
  row.alarm = flow.alarm;
  row.publishing_open = flow.open;
  row.cpu_ns = at_.cpu_ns ? at_.cpu_ns() : 0;
  row.transient_bytes = at_.counters.transient_bytes.load(std::memory_order_relaxed);
  return row;
}

}  // namespace weir::node
