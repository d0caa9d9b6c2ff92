// What happens to a queue's messages, and to a queue, without anybody asking for it: time passes, and there is too much.
#include <algorithm>

#include "node/queue_counting.h"
#include "node/queue_host.h"

namespace weir::node {

using broker::Alarm;
using broker::DeathReason;
using broker::Entry;
using broker::Queue;

namespace {

// Deadlines are looked at this often.
constexpr std::uint64_t tick_ms = 10;
// Chunks of messages, and queues, that one turn looks at; the next turn goes on.
constexpr unsigned alarms_per_turn = 64;
// What is due at delayed exchanges and has not been sent on yet: beyond it the rest stays where it is for a tick.
constexpr std::size_t forwards_waiting_max = 8'192;
// A queue that is to be deleted for not being used asks again after this, should the deletion not come.
constexpr std::uint64_t deletion_retry_ms = 1'000;
// A message is still delivered so late, to a consumer that was waiting for it while it was written to the disk: a time to
// live of 0 means "at once or never".
constexpr std::uint64_t grace_ms = 50;

constexpr std::uint64_t last_tick(std::uint64_t now_ms) { return now_ms / tick_ms * tick_ms; }

}  // namespace

bool QueueHost::alarm_is_due() const {
  const Alarm* const first = stopped_ ? nullptr : alarms_.first();
  return first != nullptr && first->at_ms() <= last_tick(wall_ms_);
}

std::optional<std::uint64_t> QueueHost::next_alarm_in_ms() const {
  const Alarm* const first = stopped_ ? nullptr : alarms_.first();
  if (first == nullptr) return std::nullopt;
  if (first->at_ms() <= wall_ms_) return tick_ms - wall_ms_ % tick_ms;
  return first->at_ms() + tick_ms - 1 - (first->at_ms() - 1) % tick_ms - wall_ms_;
}

void QueueHost::carry_out_alarms() {
  for (unsigned left = alarms_per_turn; left > 0 && alarm_is_due(); --left) {
    Alarm& alarm = *alarms_.first();
    if (&alarm == &dead_letters_.retry_alarm()) {
      dead_letters_.on_retry_alarm();
    } else if (alarm.chunk == Alarm::whole_queue) {
      consider_unused(*alarm.queue);
    } else {
      carry_out_alarm(alarm);
    }
  }
  if (!to_forward_.empty()) forward_due();
}

void QueueHost::carry_out_alarm(Alarm& alarm) {
  Queue& of = *alarm.queue;
  const bool delays = of.options().holds_delays;
  if (delays && dead_letters_.waiting(of.id()) + to_forward_.size() > forwards_waiting_max) {
    return alarms_.arm(alarm, last_tick(wall_ms_) + tick_ms);
  }
  due_.clear();
  of.on_due(alarm, wall_ms_, due_);
  for (const Seq seq : due_) {
    if (delays) {
      to_forward_.push_back({of.attributes(seq).deliver_ms, of.id(), seq});
    } else {
      bury(of, seq, DeathReason::expired);
    }
  }
  drop_superseded(of);
  if (!delays) mark_dirty(of);
}

// They go in the order in which they are due.
void QueueHost::forward_due() {
  std::sort(to_forward_.begin(), to_forward_.end());
  for (const Due& due : to_forward_) bury(*queue(due.queue), due.seq, DeathReason::due);
  to_forward_.clear();
}

// --- queues that nobody uses ---

void QueueHost::touch(Queue& used) {
  if (used.options().expires_ms == 0) return;
  know_wall();
  used.used_ms = wall_ms_;
  used.unused.queue = &used;
  if (!used.unused.armed()) alarms_.arm(used.unused, wall_ms_ + used.options().expires_ms);
}

void QueueHost::consider_unused(Queue& of) {
  if (!of.consumers().empty()) of.used_ms = wall_ms_;
  const std::uint64_t goes_ms = of.used_ms + of.options().expires_ms;
  if (goes_ms > wall_ms_) return alarms_.arm(of.unused, goes_ms);
  alarms_.arm(of.unused, wall_ms_ + deletion_retry_ms);
  delete_queue_(of.id(), QueueEnd::unused);
}

// --- messages that nobody will get ---

bool QueueHost::head_expired(const Queue& of, const Queue::Head& head) const {
  return of.expired(head, wall_ms_ - grace_ms);
}

void QueueHost::bury(Queue& of, Seq seq, DeathReason reason) {
  switch (reason) {
    case DeathReason::expired: ++stats_.expired; break;
    case DeathReason::maxlen: ++stats_.dropped; break;
    case DeathReason::rejected:
    case DeathReason::due:
    case DeathReason::delivery_limit: break;
  }
  const Entry* const entry = of.find(seq);
  if (entry == nullptr) return;
  if (reason != DeathReason::rejected) note_step(of.id(), seq, broker::to_string(reason));
  if (of.options().dead_letters) {
    if (reason != DeathReason::due) note_step(of.id(), seq, "dead-lettered");
    const bool transient = entry->transient();
    if (entry->state() == broker::EntryState::out) count_out(of, seq, *entry, false);
    of.leave(seq, reason);
    // What is due is due again after a restart: it need not be known that it was on its way.
    return dead_letters_.add(of, seq, transient, reason == DeathReason::due);
  }
  Entry gone;
  const std::uint64_t pieces = of.pieces_end(seq);
  of.forget(seq, gone);
  note_settled(of, seq, gone, pieces);
}

void QueueHost::finish_leaving(Queue& queue, Seq seq) {
  Entry gone;
  const std::uint64_t pieces = queue.pieces_end(seq);
  if (queue.forget(seq, gone)) note_settled(queue, seq, gone, pieces);
}

void QueueHost::dead_letter_refused(const Queue& by, const broker::IncomingMessage& message) {
  if (by.options().overflow != broker::Overflow::reject_publish_dead_letter || !by.options().dead_letters)
    return;
  dead_letters_.add_refused(by, message, wall_ms_);
}

// --- dead letters that this shard's queues took before a restart ---

void QueueHost::letters_asked(const LettersAsked& asked) {
  std::vector<broker::LetterOrigin> settled = dead_letters_.settled_of(asked.origins);
  if (settled.empty()) return;
  outbox_.add(asked.from, std::make_unique<LettersSettled>(LettersSettled{std::move(settled)}));
}

void QueueHost::ask_for_letters() {
  std::unordered_map<std::uint16_t, std::vector<broker::LetterOrigin>> by_shard;
  std::vector<broker::LetterOrigin> settled;
  for (const broker::LetterOrigin& origin : marks_.origins()) {
    const broker::QueueDefinition* const source = topology_.find_queue(origin.queue);
    if (source == nullptr) {
      settled.push_back(origin);
    } else {
      by_shard[source->shard.value].push_back(origin);
    }
  }
  for (auto& [shard, origins] : by_shard) {
    if (ShardId{shard} == routes_.self()) {
      const std::vector<broker::LetterOrigin> own = dead_letters_.settled_of(origins);
      settled.insert(settled.end(), own.begin(), own.end());
    } else {
      outbox_.add(ShardId{shard},
                  std::make_unique<LettersAsked>(LettersAsked{routes_.self(), std::move(origins)}));
    }
  }
  marks_.remove(settled);
}

void QueueHost::trim(Queue& of) {
  if (of.options().overflow != broker::Overflow::drop_head) return;
  Queue::Head head;
  while (of.overfull() && of.peek(head)) bury(of, head.seq, DeathReason::maxlen);
}

bool QueueHost::refuses(const Queue& queue, const broker::IncomingMessage& message) const {
  if (queue.options().overflow == broker::Overflow::drop_head) return false;
  const broker::MessageExtras extras = broker::view_extras(message.extras);
  return queue.full(message.body_bytes + (extras.pieces ? extras.pieces->bytes : 0));
}

// --- what a recent-history exchange routed last ---

void QueueHost::tell_history(const broker::BindingDefinition& binding) {
  const broker::QueueDefinition* const own = topology_.find_own_queue(binding.vhost, binding.source);
  if (own == nullptr || own->role != broker::QueueRole::history) return;
  Queue* const history = queue(own->id);
  if (history == nullptr) return;  // it is another shard's
  know_wall();
  // Bindings may lead back to it: what comes now is not told again.
  const Seq end = history->next_seq();
  history->visit(Seq{0}, end, SIZE_MAX, [&](Seq, const Entry& entry) {
    dead_letters_.send_copy(
        binding, {TransientStore::envelope(entry.reference()), TransientStore::chunk(entry.reference())});
  });
}

}  // namespace weir::node
