// What it is: one queue of one shard, as a synchronous state machine: which messages it holds, which are out with
// whom, who may take the next one. It knows neither bytes nor disk: the holder (node/queue_host) looks at the head
// with peek(), brings the message's bytes, and then calls deliver().
// Shard: its own.
// Invariant: a message is visible (may be delivered) only after all before it in the queue are durable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/limits.h"
#include "broker/alarms.h"
#include "broker/dedup_window.h"
#include "broker/fair_order.h"
#include "broker/group_order.h"
#include "broker/last_values.h"
#include "broker/priority_order.h"
#include "broker/queue_index.h"
#include "broker/queue_options.h"
#include "broker/queue_use.h"

namespace weir::broker {

// What a session can still take from this shard: bytes and messages on their way to its connection. Shared by all of its
// consumers here; the connection gives them back as its socket takes them.
struct DeliveryWindow {
  std::uint64_t bytes = 0;
  std::uint64_t messages = 0;

  bool open() const {
    return messages < limits::delivery_window_messages && bytes < limits::delivery_window_bytes;
  }
};

// What consumers that share a prefetch may still be given by this shard.
struct SharedCredit {
  std::uint32_t number = 0;  // the session's own
  std::uint32_t credit = 0;
  bool asked = false;  // for more
};

class Queue;

// Lifetime: owned by the node's record of its session on this shard; attached to one queue.
struct Consumer {
  SessionId session;
  std::uint32_t number = 0;  // the session's own
  std::string tag;
  std::uint32_t channel = 0;   // the front-end's own, for people
  Table arguments;             // for people
  std::uint32_t prefetch = 0;  // 0: no limit
  std::uint32_t unacked = 0;
  bool no_ack = false;
  bool exclusive = false;
  std::int32_t priority = 0;  // those that can take and have a higher one come first
  DeliveryWindow* window = nullptr;
  SharedCredit* shared = nullptr;  // null: it shares no prefetch
  void* holder = nullptr;          // the node's, to find the way to the session without a look-up
  Queue* queue = nullptr;
  bool waiting = false;  // in the queue's ring of those that can take

  bool can_take() const { return can_take_with_credit() && (shared == nullptr || shared->credit > 0); }
  // But for what it shares with others.
  bool can_take_with_credit() const { return (prefetch == 0 || unacked < prefetch) && window->open(); }
};

// Messages that follow each other and came back equally often, and wait equally long.
struct CountedRun {
  Seq first;
  std::uint32_t count = 0;
  std::uint32_t returns = 0;
  std::uint64_t deliver_ms = 0;  // Unix; 0: they do not wait
};

class Queue {
 public:
  explicit Queue(QueueOptions options) : options_(std::move(options)) {}
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  const QueueOptions& options() const { return options_; }
  // The same queue, of whose messages it says something else from now on: those that are there are held to a shorter time
  // to live from `now_ms` on, and are counted where bytes were not counted before (`body_bytes`, about).
  void redefine(QueueOptions options, std::uint64_t now_ms,
                const std::function<std::uint32_t(Seq, const Entry&)>& body_bytes);
  // Of one that a start found messages of before its definition.
  void define(QueueOptions options) { options_ = std::move(options); }
  QueueId id() const { return options_.id; }

  // --- messages in ---

  Seq next_seq() const { return index_.end(); }
  // With seq = next_seq(); in replay also a later one.
  void push(Seq seq, Entry entry);
  // The same for one with attributes, which may say that it is held.
  void push(Seq seq, Entry entry, const MessageAttributes& attributes);
  // In replay, of one that is there: what was not known when it was pushed.
  void learn(Seq seq, const MessageAttributes& attributes);
  // None, too, for what is not there.
  MessageAttributes attributes(Seq seq) const;
  // Of one that is there: MessageAttributes::pieces_end.
  std::uint64_t pieces_end(Seq seq) const { return columned_ ? attributes(seq).pieces_end : 0; }
  // All before `end` may be delivered from now on.
  void make_visible(Seq end);
  bool all_visible() const { return visible_end_ == index_.end(); }
  Seq visible_end() const { return visible_end_; }
  void skip_to(Seq seq);
  Entry* find(Seq seq) { return index_.find(seq); }
  bool contains(Seq seq) const { return index_.contains(seq); }

  // --- messages out ---

  struct Head {
    Seq seq;
    Entry entry;
  };
  // The message that goes next, if any.
  bool peek(Head& head);
  // The first at or after `from`, in the order in which they came, that a consumer could get.
  bool next_ready(Seq from, Head& head);
  // Of the last one that is ready; next_seq() if none is.
  Seq last_ready();
  // The consumer whose turn it is, or null if none can take.
  Consumer* next_consumer();
  // Of the queue where one consumer at a time is active: which it is; null: none, or there is no such rule.
  const Consumer* active_consumer() const { return active_; }
  // The head goes to `consumer` (null: to a get). It is out until settled.
  void deliver(const Head& head, Consumer* consumer);
  // One that is ready, wherever it is in the queue, is out until settled. It is nobody's turn that it takes.
  void take(Seq seq);

  // --- times: what becomes due is told by the shard's alarms ---

  // Of the alarm's chunk: what was delayed until `now_ms` is ready; what has expired by then, and is not out, is added to
  // `due`, for the holder to take out. Of a queue that holds delays, what was delayed is added. The alarm is armed for
  // what comes next.
  void on_due(const Alarm& alarm, std::uint64_t now_ms, std::vector<Seq>& due);
  // Of the head: has it expired?
  bool expired(const Head& head, std::uint64_t now_ms) const {
    if (!columned_) return false;
    const std::uint64_t at_ms = attributes(head.seq).expires_ms;
    return at_ms != 0 && at_ms <= now_ms;
  }

  // --- settling: false if it is not out (settled before, purged): nothing was done ---

  // `removed` is what the entry was, for its bytes to be released.
  bool remove(Seq seq, Entry& removed);
  bool put_back(Seq seq);  // requeue: to its place, redelivered
  bool restore(Seq seq);   // to its place, as it was
  // The same for one that is not to be delivered before `deliver_ms` (Unix).
  bool put_back_until(Seq seq, std::uint64_t deliver_ms);
  // In replay: it waits until then.
  void learn_delay(Seq seq, std::uint64_t deliver_ms);
  // Calls with (Seq, MessageAttributes) of each that came back and waits.
  template <typename F>
  void for_each_delayed_return(F&& visit);
  // Of one that is there, where the queue counts: it came back once more. Returns how often by now.
  std::uint16_t count_return(Seq seq);
  // In replay: it came back so often, or more.
  void learn_returns(Seq seq, std::uint16_t returns);
  // It is on its way to a dead-letter exchange: there, and never delivered again. In replay of any state.
  bool leave(Seq seq, DeathReason reason);
  // Of a message in any state, in replay.
  bool forget(Seq seq, Entry& removed);
  // Everything that is ready and visible goes; `removing` is called with each before. What is delayed stays.
  template <typename F>
  std::uint64_t purge(F&& removing);
  // Each message that is left, in order: (Seq, Entry&).
  template <typename F>
  void for_each(F&& visit);

  // At most `max` of the messages from `from` on and before `until`, in order: (Seq, const Entry&). Returns where to go on.
  template <typename F>
  Seq visit(Seq from, Seq until, std::size_t max, F&& each);
  QueueIndex& index() { return index_; }
  // The oldest message that is left, whoever has it; the end if there is none.
  Seq oldest() {
    Seq at = index_.begin();
    return index_.next_live(at, index_.end(), at) ? at : index_.end();
  }

  // --- last values: what a newer message has replaced, or would have ---

  bool has_superseded() const { return !superseded_.empty(); }
  // They go; `removing` is called with each before. To be asked after whatever makes messages ready.
  template <typename F>
  void take_superseded(F&& removing);

  // --- consumers ---

  void attach(Consumer& consumer);
  void detach(Consumer& consumer);
  // The same for one whose client is gone: what is out to it comes back before another becomes active.
  void lose(Consumer& consumer);
  // Settled of those that are out to a consumer that is not there any more.
  void settled_of_lost(SessionId session, std::uint32_t consumer, std::uint64_t count);
  // Something of the consumer changed that may let it take again.
  void reconsider(Consumer& consumer);
  const std::vector<Consumer*>& consumers() const { return consumers_; }
  bool has_exclusive_consumer() const;
  bool had_consumer() const { return had_consumer_; }

  std::uint64_t ready() const { return ready_; }
  std::uint64_t out() const { return out_; }
  std::uint64_t held() const { return held_; }  // delayed, or leaving
  // Not visible yet.
  std::uint64_t held_back() const { return index_.live() - ready_ - out_ - held_; }
  std::uint64_t ready_bytes() const { return ready_bytes_; }  // bodies; where the queue is limited by them
  // Above a limit: the head must go.
  bool overfull() const { return ready_ > options_.max_messages || ready_bytes_ > options_.max_bytes; }
  // One more must not come.
  bool full(std::size_t body_bytes) const {
    return ready_ + held_back() >= options_.max_messages ||
           ready_bytes_ + unseen_bytes_ + body_bytes > options_.max_bytes;
  }
  std::size_t total() const { return index_.live(); }
  // What it takes of memory beside its messages, about.
  std::size_t memory_bytes() const { return sizeof(*this) + index_.memory_bytes(); }

  // --- the node's own marks, kept here to save look-ups ---
  bool dirty = false;                                        // in the list of queues to pump
  bool loading = false;                                      // its head is being read from the disk
  std::uint32_t kept_empty = 0, kept_unused = 0;             // promises to those who are deleting it
  std::uint32_t place = 0;                                   // in its host's list of queues
  std::vector<std::pair<Seq, std::uint32_t>> settled_runs;   // not logged yet
  std::vector<std::pair<Seq, std::uint32_t>> requeued_runs;  // not logged yet
  std::vector<CountedRun> counted_runs, delayed_runs;        // the same, where the queue counts
  Alarm unused;                       // when the queue was not used for so long that it goes
  std::uint64_t used_ms = 0;          // last used
  void* tally = nullptr;              // what its vhost keeps, where that is limited
  std::unique_ptr<DedupWindow> seen;  // where it drops what it has seen
  std::uint64_t visible_entry = 0;    // its newest place in the list of what becomes visible, counted from 1
  std::unique_ptr<QueueUse> use;      // null: nobody used it

 private:
  // Nothing but the order in which messages came counts.
  bool simple() const {
    return !columned_ && !options_.prioritised && !options_.fair && !options_.last_value;
  }
  bool peek_in_order(Head& head);
  template <typename Order>
  bool peek_by(Order* order, Head& head);
  template <typename Order>
  static Order& made(std::unique_ptr<Order>& order) {
    if (order == nullptr) order = std::make_unique<Order>();
    return *order;
  }
  void take_from_order(Seq seq);
  void show(Seq seq);
  void become_ready(Seq seq, Entry& entry);
  void leave_ready(Seq seq);
  void release_group(Seq seq);
  void return_to_place(Seq seq, Entry& entry);
  void add_value(Seq seq);
  void forget_value(Seq seq);
  void choose_active();
  void join_ring(Consumer& consumer);
  bool may_go_on() const { return !lost_ || out_ == 0; }
  void arm(Seq seq, std::uint64_t at_ms);
  void relearn(Seq seq, const MessageAttributes& attributes);

  QueueOptions options_;
  QueueIndex index_;
  bool columned_ = false;  // some message has, or had, attributes
  Seq head_{0};            // none before it is ready, but for those in returned_
  Seq visible_end_{0};
  std::priority_queue<Seq, std::vector<Seq>, std::greater<>> returned_;
  std::uint64_t ready_ = 0;  // visible and not out
  std::uint64_t out_ = 0;
  std::uint64_t held_ = 0;          // visible, but for that
  std::uint64_t ready_bytes_ = 0;   // of what ready_ counts
  std::uint64_t unseen_bytes_ = 0;  // of what is not visible yet
  std::unique_ptr<PriorityOrder>
      by_priority_;                      // of all that are ready and visible, where there are priorities
  std::unique_ptr<FairOrder> by_turns_;  // the same where it is fair
  std::unique_ptr<GroupOrder> groups_;
  std::unique_ptr<LastValues> values_;
  std::vector<Seq> superseded_;
  std::vector<Consumer*> consumers_;
  std::deque<Consumer*> ring_;  // those that could take when last looked at: by priority, then in turn
  Consumer* active_ = nullptr;
  // Was active, and has still so many out that must come back.
  struct Lost {
    SessionId session;
    std::uint32_t consumer = 0;
    std::uint64_t out = 0;
  };
  std::optional<Lost> lost_;
  bool had_consumer_ = false;
};

template <typename F>
std::uint64_t Queue::purge(F&& removing) {
  std::uint64_t count = 0;
  Seq at = index_.begin();
  for (; index_.next_live(at, visible_end_, at); ++at.value) {
    if (index_.find(at)->state() != EntryState::ready) continue;
    Entry entry = *index_.find(at);
    removing(at, std::as_const(entry));
    forget(at, entry);
    ++count;
  }
  return count;
}

template <typename F>
void Queue::take_superseded(F&& removing) {
  for (const Seq seq : superseded_) {
    const Entry* const there = index_.find(seq);
    if (there == nullptr) continue;
    Entry entry = *there;
    removing(seq, std::as_const(entry));
    forget(seq, entry);
  }
  superseded_.clear();
}

template <typename F>
void Queue::for_each(F&& visit) {
  Seq at = index_.begin();
  while (index_.next_live(at, index_.end(), at)) {
    visit(at, *index_.find(at));
    ++at.value;
  }
}

template <typename F>
void Queue::for_each_delayed_return(F&& visit) {
  for (Seq at = index_.begin(); index_.next_live(at, index_.end(), at); ++at.value) {
    const IndexColumns* const columns = index_.columns(at);
    if (columns == nullptr || !columns->timed()) {
      at = Seq{(at.value / chunk_entries + 1) * chunk_entries - 1};
      continue;
    }
    const MessageAttributes of = columns->get(at.value % chunk_entries);
    if (of.deliver_ms != 0 && of.returns != 0 && of.leaving == 0) visit(at, of);
  }
}

template <typename F>
Seq Queue::visit(Seq from, Seq until, std::size_t max, F&& each) {
  Seq at = from;
  for (std::size_t count = 0; count < max; ++count) {
    if (!index_.next_live(at, until, at)) return until;
    each(at, std::as_const(*index_.find(at)));
    ++at.value;
  }
  return at;
}

// Appends `seq` to runs of consecutive ones.
inline void add_to_runs(std::vector<std::pair<Seq, std::uint32_t>>& runs, Seq seq) {
  if (!runs.empty() && runs.back().first.value + runs.back().second == seq.value &&
      runs.back().second < UINT32_MAX) {
    ++runs.back().second;
  } else {
    runs.emplace_back(seq, 1);
  }
}

inline void add_to_runs(std::vector<CountedRun>& runs, const CountedRun& one) {
  if (!runs.empty() && runs.back().first.value + runs.back().count == one.first.value &&
      runs.back().returns == one.returns && runs.back().deliver_ms == one.deliver_ms) {
    ++runs.back().count;
  } else {
    runs.push_back(one);
  }
}

}  // namespace weir::broker
