// What it is: what the broker must hold, kept beside it from what clients did and what they were told; and the judgement
// of what it does: every delivery while it runs, and all its queues after each restart. A plain value: it can be copied
// to judge several ends of one history.
//
// What is judged, by name in the messages: (a) confirmed and not settled: there, once, in order; (b) durably settled:
// gone; (c) nothing invented, nothing delivered twice; (d) unconfirmed: absent or whole, and no hole before a later one.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "broker/definitions.h"
#include "broker/message.h"
#include "node/session.h"
#include "sim/node_dump.h"
#include "support/sim_node.h"

namespace weir::sim {

struct Attempt {
  std::uint32_t publisher = 0;  // of the run, never used again
  bool persistent = false;
  bool wants_confirm = false;
  bool confirmed = false;
  bool rejected = false;
  std::string exchange, routing_key;
  std::vector<QueueId> queues;
};

// One attempt's message in one queue.
struct Copy {
  enum class State : std::uint8_t { waiting, out, gone };
  State state = State::waiting;
  bool established = false;  // it must be there until it is settled
  bool maybe_gone = false;   // purged perhaps, or taken without ack by a consumer that did not live to see it
  bool delivered_before = false;
  bool has_seq = false;
  std::uint32_t deliveries = 0;
  Seq seq;
  Lsn gone_lsn{UINT64_MAX};  // gone for good once its shard's journal is durable up to here
};

// A message that waits, and still does if nobody took it meanwhile.
struct Waiting {
  AttemptId attempt = 0;
  std::uint32_t deliveries = 0;
};

struct ShadowQueue {
  std::string name;
  ShardId shard;
  bool durable = false;  // and not exclusive
  std::map<AttemptId, Copy> copies;
  std::map<std::pair<std::uint32_t, Seq>, AttemptId> order;  // publisher, seq -> attempt
  std::map<Seq, AttemptId> seqs;
};

class ShadowModel {
 public:
  // --- what clients do and hear ---

  AttemptId publish(Attempt attempt);
  // Where it goes, as the publisher's shard knows the definitions.
  void route(AttemptId attempt, const broker::QueueDefinition& queue);
  void confirm(AttemptId attempt);
  void reject(AttemptId attempt);
  void deliver(const node::Delivery& delivery, bool no_ack);
  void settle(QueueId queue, Seq seq, node::Outcome outcome);
  // Somebody may take from the queue from now on.
  void consume(QueueId queue) { consumed_.insert(queue); }
  // Messages that are waiting may be gone: a purge.
  void doubt_waiting(QueueId queue);
  // A taker without ack is no more: what is waiting may be gone, and until the queue has heard of it also what comes.
  void lose_taker(QueueId queue);
  // Nothing is under way: every queue has heard of everything.
  void at_rest() { losing_.clear(); }
  // What a purge that begins now must take with it, as far as that is certain.
  std::vector<Waiting> certainly_waiting(QueueId queue) const;
  void purged(QueueId queue, const std::vector<Waiting>& certain);
  void remove_queue(QueueId queue) {
    queues_.erase(queue);
    removed_.insert(queue);
  }
  // All that was published was taken: nothing is under way and nothing can have been refused.
  void establish_all();

  // --- the node ---

  // Notes which settlements the shard has written down, and where.
  void after_turn(node::SimNode& node, std::uint16_t shard);
  // Judges what a restart brought back, and goes on from there. `durable`: per shard, what the node knew before it ended.
  // `shards_clean`: those that had closed their journals in order, though the node had not ended so as a whole.
  void restarted(const NodeDump& dump, bool clean, const std::vector<Lsn>& durable,
                 const std::vector<bool>& shards_clean = {});
  // Judges that nothing is left that must be delivered.
  void drained();

  const std::string& violation() const { return violation_; }  // the first one; empty: none
  void violate(std::string what);
  bool knows(QueueId queue) const { return queues_.contains(queue); }
  const std::map<QueueId, ShadowQueue>& queues() const { return queues_; }
  std::uint64_t attempts() const { return attempts_.size(); }
  std::uint64_t deliveries() const { return deliveries_; }
  // Publishes may be refused without a word (no confirm was wanted).
  void refusals_are_possible() { refusals_ = true; }

 private:
  struct Unfirm {
    QueueId queue;
    AttemptId attempt;
    bool purged = false;  // carried out before we heard of it
  };
  std::string describe(QueueId queue, AttemptId attempt) const;
  void gone(QueueId id, Copy& copy, AttemptId attempt);
  bool note_seq(QueueId id, ShadowQueue& queue, AttemptId attempt, Copy& copy, Seq seq);
  bool lasts(const ShadowQueue& queue, AttemptId attempt) const {
    return queue.durable && attempts_[attempt].persistent;
  }
  void judge_found(QueueId id, ShadowQueue& queue, const QueueDump& dump, bool clean, bool shard_clean,
                   Lsn durable);
  void judge_missing(QueueId id, ShadowQueue& queue, bool clean);

  std::vector<Attempt> attempts_;
  std::map<QueueId, ShadowQueue> queues_;
  std::set<QueueId> consumed_;  // in this life of the node somebody took from it, or tried
  std::set<QueueId> losing_;
  std::set<QueueId> removed_;  // shards that have not heard of it may still route to them
  std::unordered_map<std::uint16_t, std::vector<Unfirm>>
      unfirm_;  // per shard: settled, not seen written down
  std::uint64_t deliveries_ = 0;
  bool refusals_ = false;
  std::string violation_;
};

}  // namespace weir::sim
