#include "broker/queue.h"

#include <algorithm>

#include "base/assert.h"

namespace weir::broker {

void Queue::push(Seq seq, Entry entry) { index_.append(seq, entry); }

void Queue::make_visible(Seq end) {
  if (end <= visible_end_) return;
  Seq at = visible_end_;
  while (index_.next_live(at, end, at)) {
    ++ready_;
    ++at.value;
  }
  visible_end_ = end;
}

void Queue::skip_to(Seq seq) {
  const bool visible = all_visible();
  index_.skip_to(seq);
  if (visible) visible_end_ = seq;
}

bool Queue::peek(Head& head) {
  if (ready_ == 0) return false;
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

Consumer* Queue::next_consumer() {
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
  --ready_;
  ++out_;
  if (head.seq < head_) {
    WEIR_ASSERT(returned_.top() == head.seq);
    returned_.pop();
  } else {
    head_ = Seq{head.seq.value + 1};
  }
  if (consumer == nullptr) return;
  ++consumer->unacked;
  if (ring_.size() > 1) {  // the next one's turn
    ring_.pop_front();
    ring_.push_back(consumer);
  }
}

bool Queue::remove(Seq seq, Entry& removed) {
  const Entry* entry = index_.find(seq);
  if (entry == nullptr || entry->state() != EntryState::out) return false;
  removed = *entry;
  index_.erase(seq);
  --out_;
  return true;
}

bool Queue::put_back(Seq seq) {
  Entry* entry = index_.find(seq);
  if (entry == nullptr || entry->state() != EntryState::out) return false;
  entry->set_state(EntryState::ready);
  entry->set_redelivered();
  index_.changed(seq);
  --out_;
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
  return true;
}

bool Queue::forget(Seq seq, Entry& removed) {
  const Entry* entry = index_.find(seq);
  if (entry == nullptr) return false;
  removed = *entry;
  if (entry->state() == EntryState::out) {
    --out_;
  } else if (seq < visible_end_) {
    --ready_;
  }
  index_.erase(seq);
  return true;
}

void Queue::attach(Consumer& consumer) {
  consumer.queue = this;
  consumers_.push_back(&consumer);
  had_consumer_ = true;
  reconsider(consumer);
}

void Queue::detach(Consumer& consumer) {
  std::erase(consumers_, &consumer);
  std::erase(ring_, &consumer);
  consumer.waiting = false;
  consumer.queue = nullptr;
}

void Queue::reconsider(Consumer& consumer) {
  if (consumer.waiting || !consumer.can_take()) return;
  consumer.waiting = true;
  ring_.push_back(&consumer);
}

bool Queue::has_exclusive_consumer() const {
  return std::any_of(consumers_.begin(), consumers_.end(), [](const Consumer* c) { return c->exclusive; });
}

}  // namespace weir::broker
