// What it is: one queue of one shard, as a synchronous state machine: which messages it holds, which are out with
// whom, who may take the next one. It knows neither bytes nor disk: the holder (node/queue_host) looks at the head
// with peek(), brings the message's bytes, and then calls deliver().
// Shard: its own.
// Invariant: a message is visible (may be delivered) only after all before it in the queue are durable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/limits.h"
#include "broker/queue_index.h"

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

class Queue;

// Lifetime: owned by the node's record of its session on this shard; attached to one queue.
struct Consumer {
  SessionId session;
  std::uint32_t number = 0;  // the session's own
  std::string tag;
  std::uint32_t prefetch = 0;  // 0: no limit
  std::uint32_t unacked = 0;
  bool no_ack = false;
  bool exclusive = false;
  DeliveryWindow* window = nullptr;
  void* holder = nullptr;  // the node's, to find the way to the session without a look-up
  Queue* queue = nullptr;
  bool waiting = false;  // in the queue's ring of those that can take

  bool can_take() const { return (prefetch == 0 || unacked < prefetch) && window->open(); }
};

struct QueueOptions {
  QueueId id;
  std::string vhost, name;
  bool journaled = false;  // durable and not exclusive: persistent messages go to the journal
  bool auto_delete = false;
};

class Queue {
 public:
  explicit Queue(QueueOptions options) : options_(std::move(options)) {}
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  const QueueOptions& options() const { return options_; }
  // Of one that a start found messages of before its definition.
  void define(QueueOptions options) { options_ = std::move(options); }
  QueueId id() const { return options_.id; }

  // --- messages in ---

  Seq next_seq() const { return index_.end(); }
  // With seq = next_seq(); in replay also a later one.
  void push(Seq seq, Entry entry);
  // All before `end` may be delivered from now on.
  void make_visible(Seq end);
  bool all_visible() const { return visible_end_ == index_.end(); }
  void skip_to(Seq seq);
  Entry* find(Seq seq) { return index_.find(seq); }

  // --- messages out ---

  struct Head {
    Seq seq;
    Entry entry;
  };
  // The message that goes next, if any.
  bool peek(Head& head);
  // The consumer whose turn it is, or null if none can take.
  Consumer* next_consumer();
  // The head goes to `consumer` (null: to a get). It is out until settled.
  void deliver(const Head& head, Consumer* consumer);

  // --- settling: false if it is not out (settled before, purged): nothing was done ---

  // `removed` is what the entry was, for its bytes to be released.
  bool remove(Seq seq, Entry& removed);
  bool put_back(Seq seq);  // requeue: to its place, redelivered
  // Of a message in any state, in replay.
  bool forget(Seq seq, Entry& removed);
  // Everything that is ready and visible goes; `removed` is called with each.
  template <typename F>
  std::uint64_t purge(F&& removed);
  // Each message that is left, in order: (Seq, Entry&).
  template <typename F>
  void for_each(F&& visit);

  // At most `max` of the messages from `from` on and before `until`, in order: (Seq, const Entry&). Returns where to go on.
  template <typename F>
  Seq visit(Seq from, Seq until, std::size_t max, F&& each);
  QueueIndex& index() { return index_; }

  // --- consumers ---

  void attach(Consumer& consumer);
  void detach(Consumer& consumer);
  // Something of the consumer changed that may let it take again.
  void reconsider(Consumer& consumer);
  const std::vector<Consumer*>& consumers() const { return consumers_; }
  bool has_exclusive_consumer() const;
  bool had_consumer() const { return had_consumer_; }

  std::uint64_t ready() const { return ready_; }
  std::uint64_t out() const { return out_; }
  std::uint64_t held_back() const { return index_.live() - ready_ - out_; }
  std::size_t total() const { return index_.live(); }

  // --- the node's own marks, kept here to save look-ups ---
  bool dirty = false;                                        // in the list of queues to pump
  bool loading = false;                                      // its head is being read from the disk
  std::uint32_t kept_empty = 0, kept_unused = 0;             // promises to those who are deleting it
  std::vector<std::pair<Seq, std::uint32_t>> settled_runs;   // not logged yet
  std::vector<std::pair<Seq, std::uint32_t>> requeued_runs;  // not logged yet
  std::uint64_t visible_entry = 0;  // its newest place in the list of what becomes visible, counted from 1

 private:
  QueueOptions options_;
  QueueIndex index_;
  Seq head_{0};  // none before it is ready, but for those in returned_
  Seq visible_end_{0};
  std::priority_queue<Seq, std::vector<Seq>, std::greater<>> returned_;
  std::uint64_t ready_ = 0;  // visible and not out
  std::uint64_t out_ = 0;
  std::vector<Consumer*> consumers_;
  std::deque<Consumer*> ring_;  // those that could take when last looked at, in turn
  bool had_consumer_ = false;
};

template <typename F>
std::uint64_t Queue::purge(F&& removed) {
  std::uint64_t count = 0;
  Head head;
  while (peek(head)) {
    Entry entry;
    deliver(head, nullptr);
    remove(head.seq, entry);
    removed(head.seq, entry);
    ++count;
  }
  return count;
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

}  // namespace weir::broker
