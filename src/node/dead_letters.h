// What it is: what becomes of messages that leave their queue for its dead-letter exchange. Each is held in its queue,
// brought from the disk if need be, and published again with the story of its death.
//  - At most once: with that it is settled; where nobody takes it, it is gone.
//  - At least once: that it is leaving is logged before anything is sent, and it is settled when all queues that it goes to
//    have it durably. Where one is missing or full, it is tried again. A queue that has it already knows it by its origin.
//  - A large body is shared by queues of this shard, and copied for those of others before the message is published.
// Shard: that of the source queues.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/chunk.h"
#include "base/rng.h"
#include "broker/alarms.h"
#include "broker/death_history.h"
#include "broker/message.h"
#include "broker/queue.h"
#include "broker/topology.h"
#include "node/body_copies.h"
#include "node/messages.h"
#include "node/outbox.h"
#include "node/stored_headers.h"
#include "storage/journal.h"

namespace weir::node {

class QueueHost;

class DeadLetters {
 public:
  struct Surroundings {
    QueueHost& host;
    const broker::Topology& topology;
    Outbox& outbox;
    ShardId self;
    std::uint16_t shards = 1;
    broker::Alarms& alarms;
  };
  struct Stats {
    std::uint64_t sent = 0;     // to at least one queue
    std::uint64_t dropped = 0;  // no queue, or a cycle
    std::uint64_t retries = 0;  // at least once: nobody there, or no room
  };

  explicit DeadLetters(Surroundings surroundings);
  ~DeadLetters();
  void use_journal(storage::Journal& journal) { journal_ = &journal; }
  void use_headers(HeadersOf headers_of) { headers_of_ = headers_of; }

  // It is held in the queue, as leaving. `logged`: found so in replay, or that needs no record.
  void add(const broker::Queue& queue, Seq seq, bool transient, bool logged = false);
  // One that a full queue did not take.
  void add_refused(const broker::Queue& queue, const broker::IncomingMessage& message, std::uint64_t now_ms);
  void forget_queue(QueueId queue);
  // What waits at an exchange for whoever binds: to the binding's destination, and it stays.
  struct Letter {
    const std::byte* envelope = nullptr;
    Chunk* chunk = nullptr;
  };
  void send_copy(const broker::BindingDefinition& to, const Letter& letter);
  // How many of the queue are to be sent.
  std::size_t waiting() const {
    std::size_t all = 0;
    for (const auto& [queue, leaving] : leaving_) all += leaving.waiting.size();
    return all;
  }
  std::size_t waiting(QueueId queue) const {
    const auto at = leaving_.find(queue);
    return at == leaving_.end() ? 0 : at->second.waiting.size();
  }

  // Carries out what can be carried out.
  void work(std::uint64_t now_ms);
  // At the turn's end, when what was settled is in the journal.
  void after_log();
  void on_durable(Lsn up_to);
  void on_retry_alarm();
  void take_ack(ShardId from, const PublishAck& ack);
  bool has_work() const { return !runnable_.empty() || !refused_.empty(); }
  const broker::Alarm& retry_alarm() const { return retry_alarm_; }
  // Those of them that their queues do not hold any more.
  std::vector<broker::LetterOrigin> settled_of(const std::vector<broker::LetterOrigin>& asked) const;
  const Stats& stats() const { return stats_; }

 private:
  // One message of a queue on its way from the disk.
  class Load final : public storage::ReadWaiter {
   public:
    Load(DeadLetters& letters, QueueId queue, std::uint64_t reference)
        : letters_(letters), queue_(queue), reference_(reference) {}
    void on_read(Result<storage::CachedRecord> record) override {
      letters_.loaded(queue_, reference_, record);
    }  // destroys this

   private:
    DeadLetters& letters_;
    QueueId queue_;
    std::uint64_t reference_;
  };
  struct Item {
    Seq seq;
    Lsn lsn;  // it may be sent when this is durable
  };
  struct Leaving {
    std::deque<Item> waiting;
    std::size_t unlogged = 0;  // at the end of `waiting`: to be logged
    std::unique_ptr<Load> load;
    // What the load brought.
    std::uint64_t reference = 0;
    const std::byte* record = nullptr;
    ChunkRef chunk;
    bool runnable = false;
    bool copying = false;  // the body of the one that left `waiting` last
  };
  struct Transfer {
    QueueId queue;
    Seq seq;
    std::uint32_t owed = 0;  // shards
    bool failed = false;
    std::vector<ShardId> shards;
  };
  struct Settled {
    Lsn lsn;
    broker::LetterOrigin origin;
    std::vector<ShardId> shards;
  };
  struct Refused {
    QueueId queue;
    std::vector<std::byte> envelope;
    std::uint64_t pieces_end = 0;  // of its body, which is held
  };
  // One whose large body is being copied for other shards.
  struct Copied {
    broker::LetterOrigin from;  // seq: no_seq if nothing leaves its queue with it
    std::optional<broker::LetterOrigin> origin;
    std::vector<std::byte> envelope;  // of the message as it is stored
    std::string exchange, key;
    std::vector<std::byte> extras;
    std::vector<broker::Target> targets;
  };
  // dropped: a cycle, or nobody, where nobody is waited for.
  // later: when its body is copied.
  enum class Sent : std::uint8_t { yes, later, nobody, dropped };

  void make_runnable(QueueId id, Leaving& leaving);
  void log(QueueId id, Leaving& leaving);
  void work_on(QueueId id, Leaving& leaving, std::uint64_t now_ms, unsigned& budget);
  bool bring(broker::Queue& queue, Leaving& leaving, const broker::Entry& entry, Letter& bytes);
  void loaded(QueueId queue, std::uint64_t reference, const Result<storage::CachedRecord>& record);
  void send_one(broker::Queue& queue, Seq seq, broker::DeathReason reason, const Letter& bytes,
                std::uint64_t now_ms);
  Sent send(const broker::QueueOptions& from, broker::DeathReason reason, const Letter& bytes,
            std::uint64_t now_ms, const broker::LetterOrigin& source, const broker::LetterOrigin* origin);
  bool route(const broker::QueueOptions& from, std::string_view key, std::span<const std::string> keys,
             Bytes blind_keys, broker::HeaderSource& headers);
  Sent send_due(const broker::QueueOptions& from, const Letter& bytes, std::uint64_t now_ms,
                const broker::LetterOrigin& origin);
  Sent publish(const broker::IncomingMessage& message, broker::HeaderSource& headers, const Letter& letter,
               const broker::LetterOrigin& source, const broker::LetterOrigin* origin);
  void publish_now(const broker::IncomingMessage& message, broker::HeaderSource& headers, Chunk* chunk,
                   const broker::LetterOrigin* origin, BodyNumber body);
  void publish_share(const broker::IncomingMessage& message, std::span<const broker::Target> targets,
                     Chunk* chunk, std::uint64_t transfer, BodyNumber body);
  void copied(const Copied& letter, const Status& status, BodyNumber body);
  void complete(Transfer& transfer);
  void try_again(QueueId queue, Seq seq, std::uint64_t now_ms);

  Surroundings at_;
  storage::Journal* journal_ = nullptr;
  HeadersOf headers_of_;
  BodyCopies copies_;
  std::unordered_map<QueueId, Leaving> leaving_;
  std::vector<QueueId> runnable_, running_;
  std::deque<Refused> refused_;
  std::map<std::uint64_t, Transfer> transfers_;  // by number
  std::uint64_t last_transfer_ = 0;
  std::vector<std::deque<std::uint64_t>>
      owed_;  // per shard, the transfers that it has not answered yet, in order
  std::vector<broker::LetterOrigin> retry_;
  broker::Alarm retry_alarm_;
  std::vector<Settled> settling_;        // in this turn, not in the journal yet
  std::deque<Settled> settled_;          // LSNs ascend
  std::vector<broker::Target> targets_;  // scratch
  std::vector<std::byte> extras_;        // scratch
  Rng rng_{1};                           // for exchanges that choose at random
  Stats stats_;
};

}  // namespace weir::node
