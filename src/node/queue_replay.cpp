// The queues from the journal's records, after a restart: the same queue operations as in live traffic.
#include <fmt/format.h>

#include "base/assert.h"
#include "base/cursor.h"
#include "base/log.h"
#include "node/queue_counting.h"
#include "node/queue_host.h"

namespace weir::node {

using broker::Entry;
using broker::Queue;
using storage::Location;
using storage::Record;
using storage::RecordType;

namespace {

// Seqs that may have been given before the crash and are not in the journal (messages in memory) are never given again.
constexpr std::uint64_t restart_gap = 1U << 20;

template <typename F>
void for_each_run(Bytes payload, F&& visit) {
  Reader reader(payload);
  while (reader.left() >= 12) {
    const std::uint64_t first = reader.le<std::uint64_t>();
    const std::uint32_t count = reader.le<std::uint32_t>();
    for (std::uint32_t i = 0; i < count; ++i) visit(Seq{first + i});
  }
}

// What a checkpoint says of a message, where a listing tells what never changes.
broker::MessageAttributes fate_of(std::uint32_t checkpointed) {
  broker::MessageAttributes attributes;
  attributes.returns = static_cast<std::uint16_t>(checkpointed);
  attributes.leaving = static_cast<std::uint8_t>(checkpointed >> 16);
  return attributes;
}

void replay_counted(Queue& of, Bytes payload, bool delayed) {
  Reader reader(payload);
  while (reader.left() >= (delayed ? 24 : 16)) {
    const std::uint64_t first = reader.le<std::uint64_t>();
    const std::uint32_t count = reader.le<std::uint32_t>();
    const std::uint32_t returns = reader.le<std::uint32_t>();
    const std::uint64_t deliver_ms = delayed ? reader.le<std::uint64_t>() : 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      Entry* const entry = of.find(Seq{first + i});
      if (entry == nullptr) continue;
      entry->set_redelivered();
      of.learn_returns(Seq{first + i}, static_cast<std::uint16_t>(returns));
      if (delayed) of.learn_delay(Seq{first + i}, deliver_ms);
    }
  }
}

}  // namespace

Queue& QueueHost::queue_of_checkpoint(QueueId id) {
  if (Queue* const found = queue(id)) return *found;
  broker::QueueOptions options;
  options.id = id;
  undefined_.insert(id);
  Queue& made = *queues_.emplace(id, std::make_unique<Queue>(std::move(options))).first->second;
  enlist(made);
  return made;
}

// Where they are is told later, by listings and by the log.
void QueueHost::replay_messages(QueueId id, const storage::CheckpointRun& run) {
  Queue& of = queue_of_checkpoint(id);
  for (std::uint64_t i = 0; i < run.count; ++i) {
    of.push(Seq{run.first.value + i}, Entry(0, false, run.redelivered), fate_of(run.deliveries));
  }
}

void QueueHost::replay_queue(QueueId id, Seq next) {
  Queue& of = queue_of_checkpoint(id);
  if (of.next_seq() < next) of.skip_to(next);
}

void QueueHost::replay_listed(const storage::ListedMessage& message, Location location) {
  Queue* const of = queue(message.queue);
  Entry* const entry = of != nullptr ? of->find(message.seq) : nullptr;
  if (entry == nullptr || entry->reference() != 0) return;
  entry->set_reference(location.packed());
  if (message.attributes.empty()) return;
  const Result<broker::MessageAttributes> attributes = broker::decode_attributes(message.attributes);
  if (!attributes) {
    log_error("store", "message {} of queue {}: {}", message.seq.value, message.queue.value,
              attributes.error().message);
    return;
  }
  of->learn(message.seq, *attributes);
}

void QueueHost::replay(const Record& record, Location location, Lsn lsn) {
  switch (record.type) {
    case RecordType::enqueue: {
      const broker::StoredMessage message = broker::view_envelope(record.payload.data());
      const broker::MessageExtras extras = broker::view_extras(message.extras);
      const std::optional<broker::LetterOrigin>& letter = extras.origin;
      const auto push = [&](QueueId id, Seq seq) {
        Queue* const to = queue(id);
        if (to == nullptr) return;  // a deleted queue's
        if (letter) marks_.add(*letter, id, Lsn{0}, wall_ms_);
        if (extras.id && to->seen != nullptr) to->seen->learn({*extras.id, seq, message.received_ms, lsn});
        Entry* const known = to->find(seq);
        if (seq < to->next_seq() && (known == nullptr || known->reference() != 0)) return;
        broker::MessageAttributes attributes;
        if (!message.extras.empty() || to->options().attributed) {
          attributes = broker::attributes_in(to->options(), message.priority, extras, message.received_ms,
                                             message.body.size());
        }
        if (!next_before_damage_.empty()) note_gap(*to, seq);
        if (known == nullptr) return to->push(seq, Entry(location.packed(), false), attributes);
        known->set_reference(location.packed());
        to->learn(seq, attributes);
      };
      push(record.queue, record.seq);
      Reader further(record.extension);
      while (further.left() >= 12) {
        const QueueId id{further.le<std::uint32_t>()};
        push(id, Seq{further.le<std::uint64_t>()});
      }
      return;
    }
    case RecordType::settle:
    case RecordType::requeue: {
      Queue* const of = queue(record.queue);
      if (of == nullptr) return;
      if (record.type == RecordType::requeue && record.flags == storage::requeue_delayed) {
        RetryLog& log = retrying_[record.queue];
        log.from = std::min(log.from, lsn);
      }
      if (record.type == RecordType::requeue && record.flags != 0) {
        return replay_counted(*of, record.payload, record.flags == storage::requeue_delayed);
      }
      for_each_run(record.payload, [&](Seq seq) {
        Entry gone;
        if (record.type == RecordType::settle) {
          of->forget(seq, gone);
          if (seq >= of->next_seq()) of->skip_to(Seq{seq.value + 1});
        } else if (Entry* const entry = of->find(seq)) {
          entry->set_redelivered();
        }
      });
      return;
    }
    case RecordType::leave:
      if (Queue* const of = queue(record.queue)) {
        for_each_run(record.payload,
                     [&](Seq seq) { of->leave(seq, static_cast<broker::DeathReason>(record.flags)); });
      }
      return;
    case RecordType::remember:
      if (Queue* const of = queue(record.queue)) replay_seen(*of, record, lsn);
      return;
    case RecordType::meta:
    case RecordType::mark: return;
  }
}

void QueueHost::replayed_damage(std::uint64_t records_lost) {
  damage_found_ = true;
  stats_.damaged += records_lost;
  for (const auto& [id, restored] : queues_) next_before_damage_.emplace(id, restored->next_seq());
}

void QueueHost::note_gap(const Queue& to, Seq seq) {
  const auto next = next_before_damage_.find(to.options().id);
  if (next == next_before_damage_.end()) return;
  if (seq > next->second) lost_most_[to.options().id] += seq.value - next->second.value;
  next_before_damage_.erase(next);
}

void QueueHost::tell_gaps() {
  for (const auto& [id, most] : lost_most_) {
    const Queue* const restored = queue(id);
    if (restored == nullptr) continue;
    const bool countable = most < restart_gap;
    log_error("store", "messages of queue '{}' in vhost '{}' may have been in what is damaged or missing{}",
              restored->options().name, restored->options().vhost,
              countable ? fmt::format(": {} at most", most) : "");
  }
  next_before_damage_.clear();
  lost_most_.clear();
}

// Messages that must be there and that neither a listing nor the log knows a place of.
void QueueHost::forget_lost(Queue& restored) {
  std::vector<Seq> lost;
  restored.for_each([&](Seq seq, const Entry& entry) {
    if (entry.reference() == 0) lost.push_back(seq);
  });
  if (lost.empty()) return;
  damage_found_ = true;
  log_error("store", "{} messages of queue '{}' in vhost '{}' are lost: their file is damaged or gone",
            lost.size(), restored.options().name, restored.options().vhost);
  stats_.damaged += lost.size();
  for (const Seq seq : lost) {
    Entry gone;
    restored.forget(seq, gone);
  }
}

// The log says which seqs were given, until nothing in it is needed: of a queue that is empty it may say nothing any more.
void QueueHost::go_on_numbering(Queue& restored, bool clean, Seq given_end) {
  Seq next = restored.next_seq();
  if (restored.total() == 0) next = std::max(next, given_end);
  if (!clean) next.value += restart_gap;
  restored.skip_to(next);
  note_given(next);
}

void QueueHost::replayed(bool clean, Seq seqs_end) {
  for (const QueueId id : undefined_) {  // deleted while the checkpoint was made
    const auto at = queues_.find(id);
    if (at == queues_.end()) continue;
    const std::unique_ptr<Queue> gone = std::move(at->second);
    queues_.erase(at);
    delist(*gone);
  }
  undefined_.clear();
  recent_queues_.fill(nullptr);
  tell_gaps();
  forget_lost(bodies_.queue());
  bodies_.queue().for_each(
      [&](Seq, const Entry& entry) { journal_->retain(Location::from_packed(entry.reference())); });
  for (auto& [id, restored] : queues_) {
    forget_lost(*restored);
    restored->for_each([&](Seq seq, Entry& entry) {
      const std::uint64_t pieces = restored->pieces_end(seq);
      if (pieces != 0) bodies_.hold(pieces);
      count_restored(*restored, entry, pieces);
      journal_->retain(Location::from_packed(entry.reference()));
      if (clean || entry.redelivered()) return;
      // Who had it when the power went is not known: it may be a redelivery. The next restart must know that too.
      entry.set_redelivered();
      log_settled(*restored);
      broker::add_to_runs(restored->requeued_runs, seq);
    });
    restored->make_visible(restored->next_seq());
    drop_superseded(*restored);
    if (restored->seen != nullptr) restored->seen->learned();
    if (restored->held() > 0) {
      restored->for_each([&](Seq seq, const Entry&) {
        if (restored->attributes(seq).leaving != 0) dead_letters_.add(*restored, seq, false, true);
      });
    }
    go_on_numbering(*restored, clean, seqs_end);
  }
  bodies_.replayed(!damage_found_);
  go_on_numbering(bodies_.queue(), clean, seqs_end);
  for (const broker::VhostDefinition* vhost : topology_.vhosts()) refresh_limits(vhost->name);
  if (marks_.size() > 0) ask_for_letters();
}

}  // namespace weir::node
