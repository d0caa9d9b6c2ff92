// What it is: what waits for the journal, in order: messages that become visible, and publishes that become safe.
// Entries of one batch for the same queue, or of one turn for the same publisher, are one entry.
// Shard: its own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include "base/ids.h"
#include "broker/queue.h"
#include "node/messages.h"

namespace weir::node {

// Queues whose newest messages become visible when the journal is durable up to an LSN.
// Invariant: the LSNs ascend but within a batch of the journal, which becomes durable as one: so a message is visible
// when its publisher hears that it is safe.
class VisibleOrder {
 public:
  // `batch`: where the journal's open batch begins.
  void add(broker::Queue& queue, Lsn lsn, Lsn batch) {
    if (queue.visible_entry > taken_ && queue.visible_entry <= taken_ + entries_.size()) {
      Entry& entry = entries_[queue.visible_entry - taken_ - 1];
      if (entry.lsn > batch || entry.lsn >= lsn) {
        entry.lsn = std::max(entry.lsn, lsn);
        entry.end = queue.next_seq();
        return;
      }
    }
    entries_.push_back({lsn, queue.id(), queue.next_seq()});
    queue.visible_entry = taken_ + entries_.size();
  }
  // A message that needs no disk came to a queue whose messages are not all visible: it becomes so with the newest of
  // them. Returns what that waits for.
  Lsn join(const broker::Queue& queue) {
    Entry& entry = entries_[queue.visible_entry - taken_ - 1];
    entry.end = queue.next_seq();
    return entry.lsn;
  }
  // Calls with (queue id, end of what is visible).
  template <typename F>
  void take(Lsn durable, F&& visible) {
    while (!entries_.empty() && entries_.front().lsn <= durable) {
      const Entry entry = entries_.front();
      entries_.pop_front();
      ++taken_;
      visible(entry.queue, entry.end);
    }
  }

 private:
  struct Entry {
    Lsn lsn;
    QueueId queue;
    Seq end;
  };
  std::deque<Entry> entries_;
  std::uint64_t taken_ = 0;
};

// Publishes that are safe when the journal is durable up to an LSN (0: at once, but in order).
class AckOrder {
 public:
  void add(Lsn lsn, const PublishAck& ack, std::uint64_t turn) {
    if (!entries_.empty()) {
      Entry& last = entries_.back();
      if (last.turn == turn && last.ack.session == ack.session && last.ack.publisher == ack.publisher &&
          last.ack.rejected == 0 && ack.rejected == 0) {
        last.lsn = std::max(last.lsn, lsn);
        last.ack.up_to = std::max(last.ack.up_to, ack.up_to);
        last.ack.bytes += ack.bytes;
        return;
      }
    }
    entries_.push_back({lsn, turn, ack});
  }
  // take() has something.
  bool ready(Lsn durable) const { return !entries_.empty() && entries_.front().lsn <= durable; }
  template <typename F>
  void take(Lsn durable, F&& safe) {
    while (!entries_.empty() && entries_.front().lsn <= durable) {
      const PublishAck ack = entries_.front().ack;
      entries_.pop_front();
      safe(ack);
    }
  }

 private:
  struct Entry {
    Lsn lsn;
    std::uint64_t turn;
    PublishAck ack;
  };
  std::deque<Entry> entries_;
};

}  // namespace weir::node
