#include "broker/queue.h"

#include <algorithm>

#include "base/assert.h"

namespace weir::broker {

void Queue::push(Seq seq, Entry entry) { index_.append(seq, entry); }

void Queue::push(Seq seq, Entry entry, const MessageAttributes& attributes) {
  if (attributes.none()) return index_.append(seq, entry);
  if (attributes.deliver_ms != 0 || attributes.leaving != 0) entry.set_state(EntryState::held);
  index_.append(seq, entry);
  columned_ = true;
  index_.make_columns(seq).set(seq.value % chunk_entries, attributes);
  unseen_bytes_ += attributes.body_bytes;
}

void Queue::learn(Seq seq, const MessageAttributes& attributes) {
  if (attributes.none()) return;
  const MessageAttributes known = this->attributes(seq);
  MessageAttributes both = attributes;
  both.returns = std::max(both.returns, known.returns);
  both.leaving = std::max(both.leaving, known.leaving);
  if (both.deliver_ms != 0 || both.leaving != 0) index_.find(seq)->set_state(EntryState::held);
  columned_ = true;
  index_.make_columns(seq).set(seq.value % chunk_entries, both);
  unseen_bytes_ += both.body_bytes - known.body_bytes;
}

void Queue::redefine(QueueOptions options, std::uint64_t now_ms,
                     const std::function<std::uint32_t(Seq, const Entry&)>& body_bytes) {
  const bool counts = options.counts_bytes() && !options_.counts_bytes();
  const bool shortens = options.ttl_ms && *options.ttl_ms < options_.ttl_ms.value_or(UINT32_MAX);
  const bool was_single = options_.single_active;
  options_ = std::move(options);
  if (options_.single_active != was_single) choose_active();
  if (counts || !options_.counts_bytes()) ready_bytes_ = 0;
  if (!counts && !shortens) return;
  for (Seq at = index_.begin(); index_.next_live(at, index_.end(), at); ++at.value) {
    const Entry& entry = *index_.find(at);
    MessageAttributes of = attributes(at);
    if (shortens && of.leaving == 0) {
      const std::uint64_t expires_ms = std::max(now_ms, of.deliver_ms) + *options_.ttl_ms;
      if (of.expires_ms == 0 || expires_ms < of.expires_ms) of.expires_ms = expires_ms;
    }
    if (counts && of.body_bytes == 0) of.body_bytes = body_bytes(at, entry);
    relearn(at, of);
    if (counts && at < visible_end_ && entry.state() == EntryState::ready) ready_bytes_ += of.body_bytes;
  }
}

void Queue::relearn(Seq seq, const MessageAttributes& attributes) {
  const MessageAttributes known = this->attributes(seq);
  if (attributes.none()) return;
  columned_ = true;
  index_.make_columns(seq).set(seq.value % chunk_entries, attributes);
  index_.changed(seq);
  if (seq >= visible_end_) {
    unseen_bytes_ += attributes.body_bytes - known.body_bytes;
  } else if (attributes.expires_ms != known.expires_ms && index_.find(seq)->state() == EntryState::ready) {
    arm(seq, attributes.expires_ms);
  }
}

MessageAttributes Queue::attributes(Seq seq) const {
  const IndexColumns* const columns = columned_ ? index_.columns(seq) : nullptr;
  return columns == nullptr ? MessageAttributes() : columns->get(seq.value % chunk_entries);
}

void Queue::make_visible(Seq end) {
  if (end <= visible_end_) return;
  Seq at = visible_end_;
  visible_end_ = end;
  while (index_.next_live(at, end, at)) {
    if (simple()) [[likely]]
      ++ready_;
    else
      show(at);
    ++at.value;
  }
}

void Queue::show(Seq seq) {
  Entry& entry = *index_.find(seq);
  const MessageAttributes of = attributes(seq);
  unseen_bytes_ -= of.body_bytes;
  if (of.leaving != 0) {
    ++held_;
  } else if (entry.state() == EntryState::held) {
    ++held_;
    arm(seq, of.deliver_ms);
  } else {
    become_ready(seq, entry);
    if (options_.last_value) add_value(seq);
    if (of.expires_ms != 0) arm(seq, of.expires_ms);
  }
}

// It is visible, and counts as ready from now on.
void Queue::become_ready(Seq seq, Entry& entry) {
  entry.set_state(EntryState::ready);
  ++ready_;
  if (options_.prioritised) {
    made(by_priority_).push(attributes(seq).priority, seq);
  } else if (options_.fair) {
    made(by_turns_).push(attributes(seq).group, seq);
  } else if (seq < head_) {
    returned_.push(seq);
  }
  if (options_.counts_bytes()) ready_bytes_ += attributes(seq).body_bytes;
}

void Queue::leave_ready(Seq seq) {
  --ready_;
  if (options_.counts_bytes()) ready_bytes_ -= attributes(seq).body_bytes;
}

void Queue::arm(Seq seq, std::uint64_t at_ms) {
  if (options_.alarms == nullptr) return;
  Alarm& alarm = index_.make_columns(seq).alarm;
  alarm.queue = this;
  alarm.chunk = QueueIndex::number(seq);
  options_.alarms->arm_before(alarm, at_ms);
}

void Queue::on_due(const Alarm& alarm, std::uint64_t now_ms, std::vector<Seq>& due) {
  const Seq begin{alarm.chunk * chunk_entries};
  const Seq end = std::min(visible_end_, Seq{begin.value + chunk_entries});
  IndexColumns& columns = *index_.columns(begin);
  std::uint64_t next_ms = UINT64_MAX;
  for (Seq at = begin; index_.next_live(at, end, at); ++at.value) {
    const std::size_t row = at.value % chunk_entries;
    Entry& entry = *index_.find(at);
    if (entry.state() == EntryState::out || columns.leaving(row) != 0) continue;
    if (entry.state() == EntryState::held) {
      const std::uint64_t deliver_ms = columns.deliver_ms(row);
      if (deliver_ms > now_ms) {
        next_ms = std::min(next_ms, deliver_ms);
        continue;
      }
      if (options_.holds_delays) {
        due.push_back(at);
        continue;
      }
      columns.set_deliver(row, 0);
      --held_;
      become_ready(at, entry);
      if (options_.last_value) add_value(at);
    }
    const std::uint64_t expires_ms = columns.expires_ms(row);
    if (expires_ms == 0) continue;
    if (expires_ms <= now_ms) {
      due.push_back(at);
    } else {
      next_ms = std::min(next_ms, expires_ms);
    }
  }
  if (next_ms == UINT64_MAX) {
    options_.alarms->cancel(columns.alarm);
  } else {
    options_.alarms->arm(columns.alarm, next_ms);
  }
}

void Queue::skip_to(Seq seq) {
  const bool visible = all_visible();
  index_.skip_to(seq);
  if (visible) visible_end_ = seq;
}

bool Queue::peek(Head& head) {
  if (ready_ == 0) return false;
  if (simple()) [[likely]]
    return peek_in_order(head);
  if (options_.prioritised) return peek_by(by_priority_.get(), head);
  if (options_.fair) return peek_by(by_turns_.get(), head);
  if (!options_.grouped) return peek_in_order(head);
  while (peek_in_order(head)) {
    const std::uint64_t group = attributes(head.seq).group;
    if (group == 0 || groups_ == nullptr || groups_->admit(group, head.seq)) return true;
    take_from_order(head.seq);
  }
  return false;
}

template <typename Order>
bool Queue::peek_by(Order* order, Head& head) {
  while (order != nullptr && !order->empty()) {
    const Seq seq = order->top();
    const Entry* entry = index_.find(seq);
    if (entry != nullptr && entry->state() == EntryState::ready) {
      head = {seq, *entry};
      return true;
    }
    order->drop();  // it went another way meanwhile
  }
  return false;
}

bool Queue::peek_in_order(Head& head) {
  while (!returned_.empty()) {
    const Seq seq = returned_.top();
    const Entry* entry = index_.find(seq);
    if (entry != nullptr && entry->state() == EntryState::ready && seq < head_) {
      head = {seq, *entry};
      return true;
    }
    returned_.pop();  // it went another way meanwhile
  }
  Seq at = head_;
  while (index_.next_live(at, visible_end_, at)) {
    const Entry& entry = *index_.find(at);
    if (entry.state() == EntryState::ready) {
      head_ = at;
      head = {at, entry};
      return true;
    }
    ++at.value;
  }
  return false;
}

bool Queue::next_ready(Seq from, Head& head) {
  for (Seq at = from; index_.next_live(at, visible_end_, at); ++at.value) {
    const Entry& entry = *index_.find(at);
    if (entry.state() != EntryState::ready) continue;
    head = {at, entry};
    return true;
  }
  return false;
}

Seq Queue::last_ready() {
  Head head;
  // What is ready is most often at the end: looked for in steps back that grow.
  for (std::uint64_t step = chunk_entries;; step *= 2) {
    const Seq begin = index_.begin(), end = visible_end_;
    const Seq from = end.value > begin.value + step ? Seq{end.value - step} : begin;
    if (next_ready(from, head)) {
      while (next_ready(Seq{head.seq.value + 1}, head)) {
      }
      return head.seq;
    }
    if (from == begin) return index_.end();
  }
}

Consumer* Queue::next_consumer() {
  if (options_.single_active) [[unlikely]]
    return active_ != nullptr && may_go_on() && active_->can_take() ? active_ : nullptr;
  while (!ring_.empty()) {
    Consumer* consumer = ring_.front();
    if (consumer->can_take()) return consumer;
    consumer->waiting = false;
    ring_.pop_front();
  }
  return nullptr;
}

void Queue::deliver(const Head& head, Consumer* consumer) {
  Entry* entry = index_.find(head.seq);
  WEIR_ASSERT(entry != nullptr && entry->state() == EntryState::ready);
  entry->set_state(EntryState::out);
  leave_ready(head.seq);
  ++out_;
  take_from_order(head.seq);
  if (options_.grouped) [[unlikely]] {
    if (const std::uint64_t group = attributes(head.seq).group; group != 0) {
      if (groups_ == nullptr) groups_ = std::make_unique<GroupOrder>();
      groups_->lock(group, head.seq);
    }
  }
  if (consumer == nullptr) return;
  ++consumer->unacked;
  if (consumer->shared != nullptr) [[unlikely]]
    --consumer->shared->credit;
  if (ring_.size() > 1 && ring_.front() == consumer) {  // the next one's turn
    ring_.pop_front();
    join_ring(*consumer);
  }
}

void Queue::take(Seq seq) {
  Entry* const entry = index_.find(seq);
  WEIR_ASSERT(entry != nullptr && entry->state() == EntryState::ready && seq < visible_end_);
  entry->set_state(EntryState::out);
  leave_ready(seq);
  ++out_;
}

// The one that peek() gave goes.
void Queue::take_from_order(Seq seq) {
  if (options_.prioritised) {
    WEIR_ASSERT(by_priority_->top() == seq);
    by_priority_->pop();
  } else if (options_.fair) {
    WEIR_ASSERT(by_turns_->top() == seq);
    by_turns_->pop();
  } else if (seq < head_) {
    WEIR_ASSERT(returned_.top() == seq);
    returned_.pop();
  } else {
    head_ = Seq{seq.value + 1};
  }
}

// The next one of its group may go.
void Queue::release_group(Seq seq) {
  if (groups_ == nullptr) return;
  const std::uint64_t group = attributes(seq).group;
  if (group == 0) return;
  for (std::optional<Seq> next = groups_->release(group, seq); next; next = groups_->release(group, *next)) {
    const Entry* const entry = index_.find(*next);
    if (entry != nullptr && entry->state() == EntryState::ready) return returned_.push(*next);
  }
}

bool Queue::remove(Seq seq, Entry& removed) {
  const Entry* entry = index_.find(seq);
  if (entry == nullptr || entry->state() != EntryState::out) return false;
  removed = *entry;
  release_group(seq);
  if (options_.last_value) forget_value(seq);
  index_.erase(seq);
  --out_;
  return true;
}

bool Queue::put_back(Seq seq) {
  Entry* entry = index_.find(seq);
  if (entry == nullptr || entry->state() != EntryState::out) return false;
  entry->set_redelivered();
  index_.changed(seq);
  return_to_place(seq, *entry);
  return true;
}

bool Queue::restore(Seq seq) {
  Entry* entry = index_.find(seq);
  if (entry == nullptr || entry->state() != EntryState::out) return false;
  return_to_place(seq, *entry);
  return true;
}

void Queue::return_to_place(Seq seq, Entry& entry) {
  --out_;
  if (!simple()) {
    become_ready(seq, entry);
    if (options_.last_value) {
      const std::uint64_t key = attributes(seq).group;
      if (key != 0 && !values_->is_newest(key, seq)) superseded_.push_back(seq);
    }
    if (const std::uint64_t expires_ms = attributes(seq).expires_ms; expires_ms != 0) arm(seq, expires_ms);
    return;
  }
  entry.set_state(EntryState::ready);
  ++ready_;
  if (seq.value + 1 == head_.value) {
    head_ = seq;
    while (!returned_.empty() && returned_.top().value + 1 == head_.value) {
      head_ = returned_.top();
      returned_.pop();
    }
  } else {
    returned_.push(seq);
  }
}

bool Queue::put_back_until(Seq seq, std::uint64_t deliver_ms) {
  Entry* const entry = index_.find(seq);
  if (entry == nullptr || entry->state() != EntryState::out) return false;
  entry->set_redelivered();
  --out_;
  ++held_;
  if (options_.last_value) forget_value(seq);
  learn_delay(seq, deliver_ms);
  arm(seq, deliver_ms);
  return true;
}

void Queue::learn_delay(Seq seq, std::uint64_t deliver_ms) {
  Entry* const entry = index_.find(seq);
  if (entry == nullptr) return;
  entry->set_state(EntryState::held);
  columned_ = true;
  index_.changed(seq);
  index_.make_columns(seq).set_deliver(seq.value % chunk_entries, deliver_ms);
}

std::uint16_t Queue::count_return(Seq seq) {
  const std::uint16_t before = attributes(seq).returns;
  const auto returns = before == UINT16_MAX ? before : static_cast<std::uint16_t>(before + 1);
  learn_returns(seq, returns);
  return returns;
}

void Queue::learn_returns(Seq seq, std::uint16_t returns) {
  if (index_.find(seq) == nullptr) return;
  columned_ = true;
  IndexColumns& columns = index_.make_columns(seq);
  const std::size_t row = seq.value % chunk_entries;
  columns.set_returns(row, std::max(returns, columns.returns(row)));
  index_.changed(seq);
}

bool Queue::leave(Seq seq, DeathReason reason) {
  Entry* const entry = index_.find(seq);
  if (entry == nullptr) return false;
  if (seq < visible_end_) {
    if (entry->state() == EntryState::out) --out_;
    if (entry->state() == EntryState::ready) leave_ready(seq);
    if (entry->state() != EntryState::held) {
      ++held_;
      if (options_.last_value) forget_value(seq);
    }
  }
  release_group(seq);
  entry->set_state(EntryState::held);
  columned_ = true;
  index_.changed(seq);
  index_.make_columns(seq).set_leaving(seq.value % chunk_entries, static_cast<std::uint8_t>(reason));
  return true;
}

bool Queue::forget(Seq seq, Entry& removed) {
  const Entry* entry = index_.find(seq);
  if (entry == nullptr) return false;
  removed = *entry;
  if (seq >= visible_end_) {
    if (columned_) unseen_bytes_ -= attributes(seq).body_bytes;
  } else if (entry->state() == EntryState::out) {
    --out_;
  } else if (entry->state() == EntryState::held) {
    --held_;
  } else {
    leave_ready(seq);
  }
  release_group(seq);
  if (options_.last_value && seq < visible_end_ && removed.state() != EntryState::held) forget_value(seq);
  index_.erase(seq);
  return true;
}

// It counts from now on.
void Queue::add_value(Seq seq) {
  const std::uint64_t key = attributes(seq).group;
  if (key == 0) return;
  const std::optional<Seq> older = made(values_).add(key, seq);
  if (!older) return;
  const Entry* const entry = index_.find(*older);
  if (entry != nullptr && entry->state() == EntryState::ready) superseded_.push_back(*older);
}

void Queue::forget_value(Seq seq) {
  const std::uint64_t key = attributes(seq).group;
  if (key != 0) values_->remove(key);
}

// --- consumers ---

void Queue::attach(Consumer& consumer) {
  consumer.queue = this;
  consumers_.push_back(&consumer);
  had_consumer_ = true;
  if (options_.single_active && active_ == nullptr) active_ = &consumer;
  reconsider(consumer);
}

void Queue::detach(Consumer& consumer) {
  std::erase(consumers_, &consumer);
  std::erase(ring_, &consumer);
  consumer.waiting = false;
  consumer.queue = nullptr;
  if (active_ == &consumer) choose_active();
}

// The first of those with the highest priority; none where there is no such rule (any more).
void Queue::choose_active() {
  active_ = nullptr;
  if (!options_.single_active) return lost_.reset();
  const auto next =
      std::max_element(consumers_.begin(), consumers_.end(),
                       [](const Consumer* a, const Consumer* b) { return a->priority < b->priority; });
  if (next != consumers_.end()) active_ = *next;
}

void Queue::lose(Consumer& consumer) {
  if (active_ == &consumer && consumer.unacked > 0 && !lost_)
    lost_ = {consumer.session, consumer.number, consumer.unacked};
  detach(consumer);
}

void Queue::settled_of_lost(SessionId session, std::uint32_t consumer, std::uint64_t count) {
  if (!lost_ || lost_->session != session || lost_->consumer != consumer) return;
  lost_->out -= std::min(lost_->out, count);
  if (lost_->out == 0) lost_.reset();
}

void Queue::reconsider(Consumer& consumer) {
  if (consumer.waiting || !consumer.can_take()) return;
  consumer.waiting = true;
  join_ring(consumer);
}

// Behind those of its priority.
void Queue::join_ring(Consumer& consumer) {
  if (ring_.empty() || ring_.back()->priority >= consumer.priority) [[likely]]
    return ring_.push_back(&consumer);
  const auto lower = [](std::int32_t priority, const Consumer* other) { return priority > other->priority; };
  ring_.insert(std::upper_bound(ring_.begin(), ring_.end(), consumer.priority, lower), &consumer);
}

bool Queue::has_exclusive_consumer() const {
  return std::any_of(consumers_.begin(), consumers_.end(), [](const Consumer* c) { return c->exclusive; });
}

}  // namespace weir::broker
