#include "node/queue_host.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "node/queue_counting.h"

namespace weir::node {

using broker::Consumer;
using broker::Entry;
using broker::Queue;
using broker::QueueCount;
using storage::Journal;
using storage::Location;
using storage::RecordType;

namespace {

constexpr std::size_t target_bytes = 12;  // u32 queue, u64 seq

std::uint16_t returns_of(const Queue& queue, Seq seq) {
  return queue.options().counts_returns ? queue.attributes(seq).returns : std::uint16_t{0};
}

}  // namespace

class QueueHost::Load final : public storage::ReadWaiter {
 public:
  Load(QueueHost& host, QueueId queue, Queue::Head head) : host_(host), queue_(queue), head_(head) {}
  void on_read(Result<storage::CachedRecord> record) override {
    host_.loaded(queue_, head_, record);
  }  // destroys this

 private:
  QueueHost& host_;
  QueueId queue_;
  Queue::Head head_;
};

QueueHost::QueueHost(Clock& clock, SessionRoutes& routes, Outbox& outbox, const broker::Topology& topology,
                     std::uint16_t shards, std::atomic<std::uint64_t>& transient_bytes,
                     std::function<void(QueueId, QueueEnd)> delete_queue)
    : clock_(clock),
      routes_(routes),
      outbox_(outbox),
      topology_(topology),
      transient_(transient_bytes),
      delete_queue_(std::move(delete_queue)),
      walks_(*this, clock),
      dead_letters_({*this, topology, outbox, routes.self(), shards, alarms_}),
      wall_ms_(clock_.now_ms()) {}

QueueHost::~QueueHost() {
  for (auto& [id, load] : loads_) journal_->cancel_read(*load);
  forget_oldest_loads();
  for (auto& [session, link] : links_) {
    while (!link->browsers.empty()) end_browser(*link, link->browsers.begin()->first);
  }
  for (auto& [id, queue] : queues_) {
    queue->for_each([&](Seq, const Entry& entry) {
      if (entry.transient()) transient_.release(entry.reference());
    });
  }
}

Queue* QueueHost::queue(QueueId id) {
  Queue*& recent = recent_queues_[id.value % recent_queues_.size()];
  if (recent != nullptr && recent->id() == id) [[likely]] {
    return recent;
  }
  const auto at = queues_.find(id);
  if (at == queues_.end()) return id == bodies_queue ? &bodies_.queue() : nullptr;
  recent = at->second.get();
  return recent;
}

const Queue* QueueHost::find(QueueId id) const {
  const auto at = queues_.find(id);
  if (at == queues_.end()) return id == bodies_queue ? &bodies_.queue() : nullptr;
  return at->second.get();
}

std::vector<QueueId> QueueHost::journaled_queues() const {
  std::vector<QueueId> ids{bodies_queue};
  for (const auto& [id, queue] : queues_) {
    if (queue->options().journaled) ids.push_back(id);
  }
  return ids;
}

QueueHost::Link& QueueHost::link(SessionId session) {
  auto& slot = links_[session];
  if (slot == nullptr) {
    slot = std::make_unique<Link>();
    slot->session = session;
  }
  return *slot;
}

Consumer* QueueHost::consumer(SessionId session, ConsumerNumber number) {
  const auto at = links_.find(session);
  if (at == links_.end()) return nullptr;
  const auto found = at->second->consumers.find(number);
  return found == at->second->consumers.end() ? nullptr : found->second.get();
}

void QueueHost::mark_dirty(Queue& queue) {
  if (queue.dirty) return;
  queue.dirty = true;
  dirty_.push_back(queue.id());
}

// --- definitions ---

void QueueHost::create(const broker::QueueDefinition& definition) {
  auto& slot = queues_[definition.id];
  const bool found_before = undefined_.erase(definition.id) > 0;
  if (slot != nullptr && !found_before) return;  // replayed twice
  broker::QueueOptions options = broker::queue_options(definition, topology_.effective_arguments(definition));
  options.alarms = &alarms_;
  if (found_before) {
    slot->define(std::move(options));
    make_window(*slot);
    return touch(*slot);
  }
  slot = std::make_unique<Queue>(std::move(options));
  enlist(*slot);
  if (journal_ != nullptr) ++traffic_->queues_created;
  slot->tally = tallies_.find(definition.vhost);
  make_window(*slot);
  touch(*slot);
}

void QueueHost::enlist(Queue& of) {
  of.place = static_cast<std::uint32_t>(ids_.size());
  ids_.push_back(of.id());
}

void QueueHost::delist(const Queue& of) {
  const QueueId last = ids_.back();
  ids_[of.place] = last;
  ids_.pop_back();
  if (last != of.id()) queues_.find(last)->second->place = of.place;
}

void QueueHost::make_window(Queue& of) {
  const broker::QueueOptions& options = of.options();
  if (!options.deduplicates || of.seen != nullptr) return;
  of.seen = std::make_unique<broker::DedupWindow>(options.dedup_window_ms, options.dedup_ids_max);
  deduplicating_.push_back(of.id());
}

void QueueHost::remove(QueueId id) {
  marks_.remove_source(id);
  dead_letters_.forget_queue(id);
  const auto at = queues_.find(id);
  if (at == queues_.end()) return;
  const std::unique_ptr<Queue> gone = std::move(at->second);
  queues_.erase(at);
  delist(*gone);
  if (journal_ != nullptr) ++traffic_->queues_deleted;
  undefined_.erase(id);
  recent_queues_[id.value % recent_queues_.size()] = nullptr;
  if (const auto load = loads_.find(id); load != loads_.end()) {
    journal_->cancel_read(*load->second);
    loads_.erase(load);
  }
  loaded_.erase(id);
  if (const auto gets = gets_.find(id); gets != gets_.end()) {
    const std::deque<WaitingGet> waiting = std::move(gets->second);
    gets_.erase(gets);
    for (const WaitingGet& get : waiting) {
      reply(get.session,
            fail(ErrorCode::not_found,
                 fmt::format("no queue '{}' in vhost '{}'", gone->options().name, gone->options().vhost)));
    }
  }
  // In replay nothing is retained yet.
  if (journal_ != nullptr) {
    gone->for_each([&](Seq seq, const Entry& entry) {
      const std::uint64_t pieces = gone->pieces_end(seq);
      tally(*gone, entry, pieces, -1);
      release_bytes(entry);
      if (pieces != 0) bodies_.release(pieces);
    });
  }
  std::vector<ConsumerGone> consumers;
  walks_.forget_queue(id);
  end_browsers_of(id, consumers);
  while (!gone->consumers().empty()) {
    Consumer& consumer = *gone->consumers().front();
    tell_consumer("consumer.deleted", consumer, *gone);
    consumers.push_back({consumer.session, consumer.number, CancelReason::queue_deleted});
    gone->detach(consumer);
    Link& holder = *static_cast<Link*>(consumer.holder);
    broker::SharedCredit* const pool = consumer.shared;
    holder.consumers.erase(consumers.back().consumer);
    if (pool != nullptr) leave_pool(holder, pool);
  }
  for (const ConsumerGone& consumer : consumers) routes_.consumer_gone(consumer);
}

// --- messages in ---

void QueueHost::enqueue(std::span<const broker::Target> targets, const broker::IncomingMessage& message,
                        const Origin& origin) {
  const Taken taken = take(targets, message, origin.session);
  const std::uint64_t rejected = taken.refused ? origin.seq : 0;
  ack_order_.add(taken.needed, {origin.session, origin.publisher, origin.seq, message.body_bytes, rejected},
                 turn_);
}

QueueHost::Taken QueueHost::take(std::span<const broker::Target> targets,
                                 const broker::IncomingMessage& message, SessionId from) {
  know_wall();
  journaled_targets_.clear();
  memory_targets_.clear();
  Taken taken;
  Lsn& needed = taken.needed;
  const broker::MessageExtras extras = broker::view_extras(message.extras);
  const std::optional<broker::LetterOrigin>& letter = extras.origin;
  for (const broker::Target& target : targets) {
    Queue* to = queue(target.queue);
    if (to == nullptr) continue;  // deleted while the message was on its way
    if (letter && marks_.has(*letter, target.queue)) [[unlikely]] {
      needed = journal_->end();  // it is there already, perhaps not durably yet
      letters_known_ = true;
      continue;
    }
    if (to->seen != nullptr && was_seen(*to, extras.id)) [[unlikely]] {
      needed = journal_->end();  // the one that is there need not be durable yet
      continue;
    }
    // What a vhost may keep bounds what comes from outside: a dead letter is there already.
    const auto* const of_vhost = static_cast<const VhostTally*>(to->tally);
    if (of_vhost != nullptr && of_vhost->full() && !is_internal(from)) [[unlikely]] {
      taken.refused = true;
      continue;
    }
    if (to->kept_empty > 0 || (to->options().limited && refuses(*to, message))) [[unlikely]] {
      taken.refused = true;
      if (to->kept_empty == 0) dead_letter_refused(*to, message);
      continue;
    }
    // What it is recognised by must be as safe as what it drops for that.
    const bool lasts = message.persistent || (to->seen != nullptr && extras.id);
    (lasts && to->options().journaled ? journaled_targets_ : memory_targets_).push_back(to);
  }
  const std::size_t bytes = broker::envelope_bytes(message);
  if (!journaled_targets_.empty()) {
    if (!journal_->has_room()) {
      ++stats_.rejected;
      return {Lsn{0}, true};
    }
    before_message_ = journal_->batch_begin();
    needed = std::max(needed, journal_message(message, bytes));
    if (letter) mark_taken(*letter, journaled_targets_, before_message_);
  }
  if (taken.refused) ++stats_.rejected;
  if (!memory_targets_.empty()) {
    needed = std::max(needed, keep_in_memory(message, bytes));
    if (letter) mark_taken(*letter, memory_targets_, Lsn{UINT64_MAX});
  }
  if (traces_ != nullptr) [[unlikely]]
    trace_taken(message, needed);
  ++stats_.published;
  return taken;
}

void QueueHost::push(Queue& queue, const broker::IncomingMessage& message, Entry entry) {
  const Seq seq = queue.next_seq();
  note_given(Seq{seq.value + 1});
  if (journeys_.on()) [[unlikely]]
    journeys_.queued(queue.options().vhost, queue.options().name, queue.id(), seq, message, wall_ms_);
  if (message.extras.empty() && !queue.options().attributed) [[likely]] {
    count_pushed(queue, seq, entry, 0);
    if (queue.tally != nullptr) [[unlikely]]
      tally(queue, entry, 0, 1);
    return queue.push(seq, entry);
  }
  const broker::MessageExtras extras = broker::view_extras(message.extras);
  if (extras.id && queue.seen != nullptr) note_seen(queue, seq, *extras.id);
  const std::uint64_t pieces = extras.pieces ? extras.pieces->last.value + 1 : 0;
  if (pieces != 0) bodies_.hold(pieces);
  count_pushed(queue, seq, entry, pieces);
  if (queue.tally != nullptr) [[unlikely]]
    tally(queue, entry, pieces, 1);
  queue.push(seq, entry,
             broker::attributes_in(queue.options(), message.priority, extras, wall_ms_, message.body_bytes));
}

// One record for all queues of this shard: the body is stored once. Returns what must be durable for it.
Lsn QueueHost::journal_message(const broker::IncomingMessage& message, std::size_t envelope_bytes) {
  for (std::size_t from = 0; from < journaled_targets_.size(); from += targets_per_record_max + 1) {
    const std::span<Queue*> targets =
        std::span(journaled_targets_)
            .subspan(from, std::min(targets_per_record_max + 1, journaled_targets_.size() - from));
    const std::size_t extension = (targets.size() - 1) * target_bytes;
    const Journal::Space space =
        journal_->append(RecordType::enqueue, 0, targets[0]->id(), targets[0]->next_seq(), extension,
                         envelope_bytes, Journal::Urgency::wait);
    std::byte* at = space.bytes.data();
    for (const Queue* target : targets.subspan(1)) {
      store_le(at, target->id().value);
      store_le(at + 4, target->next_seq().value);
      at += target_bytes;
    }
    broker::encode_envelope(message, wall_ms_, at);
    journal_->finish();
    journal_->retain(space.location, static_cast<std::uint32_t>(targets.size()));
    const Lsn end = journal_->end();
    for (Queue* target : targets) {
      push(*target, message, Entry(space.location.packed(), false));
      visible_order_.add(*target, end, journal_->batch_begin());
    }
  }
  return journal_->end();
}

// Returns what must be durable before it is visible: a confirm never comes before that.
Lsn QueueHost::keep_in_memory(const broker::IncomingMessage& message, std::size_t envelope_bytes) {
  std::byte* envelope = nullptr;
  const std::uint64_t reference =
      transient_.allocate(envelope_bytes, static_cast<std::uint32_t>(memory_targets_.size()), envelope);
  broker::encode_envelope(message, wall_ms_, envelope);
  Lsn needed{0};
  for (Queue* target : memory_targets_) {
    const bool at_once = target->all_visible();
    push(*target, message, Entry(reference, true));
    if (at_once) {
      target->make_visible(target->next_seq());
      drop_superseded(*target);
      mark_dirty(*target);
    } else {
      needed = std::max(needed, visible_order_.join(*target));
    }
  }
  return needed;
}

void QueueHost::on_durable(Lsn up_to) {
  visible_order_.take(up_to, [&](QueueId id, Seq end) {
    Queue* visible = queue(id);
    if (visible == nullptr) return;
    visible->make_visible(end);
    drop_superseded(*visible);
    mark_dirty(*visible);
  });
  if (traces_ != nullptr) [[unlikely]]
    traces_->on_durable(up_to);
  ack_order_.take(up_to, [&](const PublishAck& ack) { routes_.ack(ack); });
  dead_letters_.on_durable(up_to);
  while (!late_releases_.empty() && late_releases_.front().lsn <= up_to) {
    for (const Entry& entry : late_releases_.front().entries) release_bytes(entry);
    late_releases_.pop_front();
  }
  while (!late_replies_.empty() && late_replies_.front().lsn <= up_to) {
    LateReply late = std::move(late_replies_.front());
    late_replies_.pop_front();
    reply(late.session, std::move(late.what));
  }
}

bool QueueHost::on_moved(QueueId id, Seq seq, Location from, Location to) {
  Queue* const of = queue(id);
  Entry* const entry = of != nullptr ? of->find(seq) : nullptr;
  if (entry == nullptr || entry->transient() || entry->reference() != from.packed()) return false;
  if (of->tally != nullptr) tally(*of, *entry, 0, -1);
  entry->set_reference(to.packed());
  if (of->tally != nullptr) tally(*of, *entry, 0, 1);
  broker::QueueUse& use = use_of(*of);
  const std::uint64_t grown = to.bytes() - from.bytes();  // modulo 2^64: it may be less
  use.kept[0].bytes += grown;
  if (entry->state() == broker::EntryState::out) use.out_bytes += grown;
  return true;
}

// --- messages out ---

// False: it is on the disk only.
bool QueueHost::bring(QueueId id, const Entry& entry, Message& message) {
  if (entry.transient()) {
    message.envelope = TransientStore::envelope(entry.reference());
    message.chunk = TransientStore::chunk(entry.reference());
    message.bytes = TransientStore::bytes(entry.reference());
    return true;
  }
  const Location location = Location::from_packed(entry.reference());
  storage::CachedRecord record = journal_->cached(location);
  if (record.at == nullptr && !loaded_.empty()) {
    const auto loaded = loaded_.find(id);
    if (loaded != loaded_.end() && loaded->second.reference == entry.reference())
      record = {loaded->second.at, loaded->second.chunk.get()};
  }
  if (record.at == nullptr) return false;
  message.envelope = record.at + storage::record_header_bytes + load_le<std::uint16_t>(record.at + 10);
  message.chunk = record.chunk;
  message.bytes = location.bytes();
  return true;
}

void QueueHost::load(Queue& queue, const Queue::Head& head) {
  if (queue.loading) return;
  queue.loading = true;
  auto waiter = std::make_unique<Load>(*this, queue.id(), head);
  Load& reference = *waiter;
  loads_[queue.id()] = std::move(waiter);
  journal_->read(Location::from_packed(head.entry.reference()), reference);
}

// By value: the load that holds the head goes.
void QueueHost::loaded(QueueId id, Queue::Head head, const Result<storage::CachedRecord>& record) {
  loads_.erase(id);
  Queue* const loaded_queue = queue(id);
  if (loaded_queue == nullptr) return;
  loaded_queue->loading = false;
  mark_dirty(*loaded_queue);
  if (record) {
    loaded_[id] = {head.entry.reference(), record->at, ChunkRef::share(record->chunk)};
    return;
  }
  const Entry* const entry = loaded_queue->find(head.seq);
  if (entry == nullptr || entry->reference() != head.entry.reference()) return;  // it was moved meanwhile
  // The message can't be read back. It is set aside, not settled: its bytes stay on the disk for repair.
  ++stats_.damaged;
  log_error("store", "message {} of queue '{}' in vhost '{}' is damaged and was set aside: {}",
            head.seq.value, loaded_queue->options().name, loaded_queue->options().vhost,
            record.error().message);
  Queue::Head now;
  if (!loaded_queue->peek(now) || now.seq != head.seq) return;
  count_out(*loaded_queue, now.seq, now.entry, true);
  loaded_queue->deliver(now, nullptr);
}

// A delivery or an answer to a session of this shard can call back before it returns: nothing is kept over it.
void QueueHost::pump(QueueId id) {
  if (!serve_gets(id)) return;
  if (pools_ > 0) [[unlikely]]  // also when others can take: each has its turn
    want_credit(id);
  bool timed = false;
  Queue::Head head;
  for (Queue* from = queue(id); from != nullptr && from->peek(head); from = queue(id)) {
    Consumer* const to = from->next_consumer();
    if (to == nullptr) {
      if (pools_ > 0) [[unlikely]]
        want_credit(id);
      return;
    }
    if (head_expired(*from, head)) [[unlikely]] {
      bury(*from, head.seq, broker::DeathReason::expired);
      continue;
    }
    if (set_aside_if_broken(*from, head)) [[unlikely]]
      continue;
    Message message;
    if (!bring(id, head.entry, message)) return load(*from, head);
    from->deliver(head, to);
    if (const std::uint64_t pieces = from->pieces_end(head.seq); pieces != 0) [[unlikely]] {
      hold_body(*static_cast<Link*>(to->holder), pieces);
      message.bytes += limits::body_piece_bytes;
    }
    to->window->bytes += message.bytes;
    ++to->window->messages;
    ++stats_.delivered;
    const bool no_ack = to->no_ack;
    count_delivered(*from, head, to->session, no_ack ? QueueCount::deliver_no_ack : QueueCount::deliver);
    if (!std::exchange(timed, true)) {
      const std::uint64_t received_ms = broker::received_ms(message.envelope);
      traffic_->deliver_ms.add(wall_ms_ - std::min(wall_ms_, received_ms));
    }
    const std::uint16_t returns = returns_of(*from, head.seq);
    if (no_ack) --to->unacked;
    note_step(id, head.seq, no_ack ? "delivered without acknowledgement" : "delivered", to->tag);
    routes_.deliver({to->session, to->number, static_cast<std::uint32_t>(message.bytes),
                     head.entry.redelivered(), returns, id, head.seq, message.envelope, message.chunk});
    if (!no_ack) continue;
    if (Queue* const settled = queue(id)) forget_settled(*settled, head.seq);
  }
}

// False: there is nothing to give out now (it waits for the disk, or the queue has gone).
bool QueueHost::serve_gets(QueueId id) {
  know_wall();
  while (!gets_.empty()) {
    const auto waiting = gets_.find(id);
    if (waiting == gets_.end()) return true;
    Queue* const from = queue(id);
    GotMessage got;
    got.from = routes_.self();
    Queue::Head head;
    while (from->peek(head)) {
      if (head_expired(*from, head)) {
        bury(*from, head.seq, broker::DeathReason::expired);
      } else if (!set_aside_if_broken(*from, head)) {
        break;
      }
    }
    if (from->peek(head)) {
      Message message;
      if (!bring(id, head.entry, message)) {
        load(*from, head);
        return false;
      }
      got.there = true;
      got.redelivered = head.entry.redelivered();
      got.returns = returns_of(*from, head.seq);
      got.queue = id;
      got.seq = head.seq;
      got.envelope = message.envelope;
      got.chunk = ChunkRef::share(message.chunk);
      from->deliver(head, nullptr);
      if (const std::uint64_t pieces = from->pieces_end(head.seq); pieces != 0)
        hold_body(link(waiting->second.front().session), pieces);
      ++stats_.delivered;
    }
    got.messages_left = from->ready();
    const WaitingGet get = waiting->second.front();
    if (got.there) {
      count_delivered(*from, head, get.session, get.no_ack ? QueueCount::get_no_ack : QueueCount::get);
      note_step(id, head.seq, get.no_ack ? "got without acknowledgement" : "got");
    } else {
      count_empty_get(*from, get.session);
    }
    waiting->second.pop_front();
    if (waiting->second.empty()) gets_.erase(waiting);
    if (got.there && get.no_ack) forget_settled(*from, head.seq);
    reply(get.session, std::move(got));
    if (queue(id) == nullptr) return false;
  }
  return true;
}

// --- settling ---

void QueueHost::release_bytes(const Entry& entry) {
  if (entry.transient()) {
    transient_.release(entry.reference());
  } else if (kept_bytes_ != nullptr) {
    kept_bytes_->push_back(entry);
  } else {
    journal_->release(Location::from_packed(entry.reference()));
  }
}

// It has left the queue for good.
void QueueHost::note_settled(Queue& queue, Seq seq, const Entry& entry, std::uint64_t pieces_end) {
  if (!entry.transient()) {
    log_settled(queue);
    broker::add_to_runs(queue.settled_runs, seq);
  }
  count_settled(queue, entry, pieces_end);
  if (queue.tally != nullptr) [[unlikely]]
    tally(queue, entry, pieces_end, -1);
  release_bytes(entry);
  if (pieces_end != 0) [[unlikely]]
    bodies_.release(pieces_end);
}

// An outstanding message is done with.
void QueueHost::forget_settled(Queue& queue, Seq seq) {
  Entry entry;
  const std::uint64_t pieces = queue.pieces_end(seq);
  if (!queue.remove(seq, entry)) return;
  ++stats_.settled;
  note_settled(queue, seq, entry, pieces);
}

// A newer message has taken their place.
void QueueHost::drop_superseded(Queue& of) {
  if (!of.has_superseded()) [[likely]]
    return;
  of.take_superseded([&](Seq seq, const Entry& entry) {
    ++stats_.superseded;
    note_step(of.id(), seq, "superseded");
    note_settled(of, seq, entry, of.pieces_end(seq));
  });
}

// Nobody wants an outstanding message.
void QueueHost::discard(Queue& queue, Seq seq) {
  if (!queue.options().dead_letters) return forget_settled(queue, seq);
  const Entry* const entry = queue.find(seq);
  if (entry != nullptr && entry->state() == broker::EntryState::out)
    bury(queue, seq, broker::DeathReason::rejected);
}

// An outstanding message comes back: to its place, or out of the queue if that was once too often.
void QueueHost::requeue(Queue& queue, Seq seq, bool failed) {
  const Entry* const entry = queue.find(seq);
  if (entry == nullptr || entry->state() != broker::EntryState::out) return;
  know_wall();
  ++stats_.requeued;
  const bool transient = entry->transient(), counts = queue.options().counts_returns;
  const std::uint16_t returns = counts ? queue.count_return(seq) : std::uint16_t{0};
  if (counts && queue.options().delivery_limit && returns > *queue.options().delivery_limit) {
    return bury(queue, seq, broker::DeathReason::delivery_limit);
  }
  count_out(queue, seq, *entry, false);
  const std::uint64_t delay_ms = counts ? queue.options().retry_delay_ms(returns, failed) : 0;
  const std::uint64_t deliver_ms = delay_ms == 0 ? 0 : wall_ms_ + delay_ms;
  if (deliver_ms == 0) queue.put_back(seq);
  if (deliver_ms != 0) queue.put_back_until(seq, deliver_ms);
  if (queue.has_superseded()) return drop_superseded(queue);
  if (transient) return;
  log_settled(queue);
  if (!counts) return broker::add_to_runs(queue.requeued_runs, seq);
  broker::add_to_runs(deliver_ms == 0 ? queue.counted_runs : queue.delayed_runs,
                      {seq, 1, returns, deliver_ms});
}

// The same without anybody having seen it.
void QueueHost::restore(Queue& queue, Seq seq) {
  const Entry* const entry = queue.find(seq);
  if (entry == nullptr || entry->state() != broker::EntryState::out) return;
  count_out(queue, seq, *entry, false);
  queue.restore(seq);
  drop_superseded(queue);
}

void QueueHost::note_settlement(Queue& queue, Seq seq, Outcome outcome) {
  const Entry* const entry = queue.find(seq);
  if (entry == nullptr || entry->state() != broker::EntryState::out) return;
  know_wall();
  switch (outcome) {
    case Outcome::accept: return note_step(queue.id(), seq, "acknowledged");
    case Outcome::requeue: return note_step(queue.id(), seq, "requeued");
    case Outcome::failed: return note_step(queue.id(), seq, "failed");
    case Outcome::discard: return note_step(queue.id(), seq, "rejected");
    case Outcome::restore: return note_step(queue.id(), seq, "put back");
  }
}

void QueueHost::settle(const SettleItem& item) {
  Queue* const from = queue(item.queue);
  if (from == nullptr) return;
  const std::uint64_t out_before = from->out();
  for (std::uint32_t i = 0; i < item.count; ++i) {
    const Seq seq{item.first.value + i};
    if (journeys_.on()) [[unlikely]]
      note_settlement(*from, seq, item.outcome);
    switch (item.outcome) {
      case Outcome::accept: forget_settled(*from, seq); break;
      case Outcome::requeue: requeue(*from, seq, false); break;
      case Outcome::failed: requeue(*from, seq, true); break;
      case Outcome::discard: discard(*from, seq); break;
      case Outcome::restore: restore(*from, seq); break;
    }
  }
  const std::uint64_t count = out_before - from->out();
  if (item.outcome == Outcome::accept && count > 0) count_acked(*from, item.session, count);
  if (item.consumer != no_consumer) {
    if (Consumer* const by = consumer(item.session, item.consumer); by != nullptr && by->queue == from) {
      by->unacked -= static_cast<std::uint32_t>(std::min<std::uint64_t>(by->unacked, count));
      from->reconsider(*by);
    } else {
      from->settled_of_lost(item.session, item.consumer, count);
    }
  }
  mark_dirty(*from);
}

void QueueHost::grant(const WindowGrant& grant) {
  const auto at = links_.find(grant.session);
  if (at == links_.end()) return;
  broker::DeliveryWindow& window = at->second->window;
  window.bytes -= std::min(window.bytes, grant.bytes);
  window.messages -= std::min(window.messages, grant.messages);
  if (!window.open()) return;
  for (auto& [number, consumer] : at->second->consumers) {
    if (consumer->waiting) continue;
    consumer->queue->reconsider(*consumer);
    if (consumer->waiting) mark_dirty(*consumer->queue);
  }
  for (auto& [number, browser] : at->second->browsers) {
    if (Queue* const of = queue(browser->queue)) mark_dirty(*of);
  }
}

// --- the turn ---

void QueueHost::begin_turn() {
  ++turn_;
  know_wall();
}

void QueueHost::end_turn() {
  letters_known_ = false;
  on_durable(journal_->durable());  // what had nothing to wait for
  std::swap(dirty_, pumping_);
  for (const QueueId id : pumping_) {
    Queue* const dirty_queue = queue(id);
    if (dirty_queue == nullptr) continue;
    dirty_queue->dirty = false;
    if (!browsing_.empty()) pump_browsers(id);
    if (queue(id) != nullptr) pump(id);
    if (!loaded_.empty()) loaded_.erase(id);
    Queue* const pumped = queue(id);
    if (pumped == nullptr) continue;
    note_blocked(*pumped);
    if (pumped->options().limited) trim(*pumped);
  }
  pumping_.clear();
  if (pools_ > 0) [[unlikely]]
    settle_credit();
  bodies_.serve();
  carry_out_alarms();
  walks_.step();
  if (dead_letters_.has_work() && !stopped_) dead_letters_.work(wall_ms_);
  log_settlements();
  wall_is_known_ = false;
}

void QueueHost::log_settlements() {
  for (const QueueId id : to_log_) {
    if (Queue* const settled = queue(id)) log_all_runs(*settled);
  }
  to_log_.clear();
  // Behind all that needed them: a message that is there has its body.
  if (!bodies_.settled_runs().empty()) log_runs(RecordType::settle, bodies_queue, bodies_.settled_runs());
  dead_letters_.after_log();
}

void QueueHost::reply(SessionId session, decltype(SessionReply::what) what) {
  routes_.reply(SessionReply{session, std::move(what)});
}

}  // namespace weir::node
