// What it is: a shard's part in walks over its queues (node/walk.h): each turn goes on a little with each of them. Messages
// that are not in memory are read the way that consumers read them, one window after the other.
// Shard: its own.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "broker/queue.h"
#include "node/messages.h"
#include "node/stored_headers.h"
#include "node/walk.h"
#include "storage/journal.h"

namespace weir::node {

class QueueHost;

// Of one shard at a time; more are refused.
inline constexpr std::size_t walks_max = 16;

class QueueWalks {
 public:
  QueueWalks(QueueHost& host, Clock& clock) : host_(host), clock_(clock) {}
  ~QueueWalks();
  void use_headers(HeadersOf headers_of) { headers_of_ = headers_of; }

  void begin(SessionId by, const WalkRequest& request);
  // What they have taken goes back.
  void end_session(SessionId session);
  void forget_queue(QueueId queue);
  bool has_work() const;
  void step();  // once a turn

 private:
  struct Walk;
  class Load final : public storage::ReadWaiter {
   public:
    Load(QueueWalks& walks, Walk& walk, Seq seq, std::uint64_t reference)
        : walks_(walks), walk_(walk), seq_(seq), reference_(reference) {}
    void on_read(Result<storage::CachedRecord> record) override {
      walks_.loaded(walk_, seq_, reference_, record);
    }  // destroys this

   private:
    QueueWalks& walks_;
    Walk& walk_;
    Seq seq_;
    std::uint64_t reference_;
  };
  struct Walk {
    SessionId by;
    std::shared_ptr<const WalkOptions> options;
    std::shared_ptr<Walked> so_far;
    std::uint64_t began_ms = 0;
    std::uint64_t brought_bytes = 0;
    // The first message that was received at a time or later is looked for: it is before `above`.
    bool seeking = false;
    Seq above;
    std::unique_ptr<Load> load;  // of the message that it is to see next
    // Which came from the disk.
    std::uint64_t reference = 0;
    const std::byte* record = nullptr;
    ChunkRef chunk;
    // Where copies go.
    ChunkRef copies;
    std::size_t copied_bytes = 0;
  };
  struct Finished {
    SessionId by;
    std::shared_ptr<Walked> walked;
  };
  enum class Step : std::uint8_t { go_on, wait, finished };

  void start(Walk& walk, broker::Queue& of);
  Step go_on(Walk& walk, broker::Queue& of, std::uint64_t until_ns);
  Step look_at_next(Walk& walk, broker::Queue& of);
  Step seek(Walk& walk, broker::Queue& of);
  // Null: it is on its way from the disk, or it was passed over.
  const std::byte* bring(Walk& walk, broker::Queue& of, Seq seq, const broker::Entry& entry);
  bool passes(Walk& walk, const std::byte* envelope, std::uint64_t pieces, const broker::Entry& entry);
  void carry_out(Walk& walk, broker::Queue& of, Seq seq, const std::byte* envelope, std::uint64_t pieces);
  void copy(Walk& walk, WalkedMessage& to, const std::byte* envelope, std::uint64_t body_bytes_max);
  bool bounded(const Walk& walk) const;
  void loaded(Walk& walk, Seq seq, std::uint64_t reference, const Result<storage::CachedRecord>& record);
  void finish(Finished done);
  void put_back(const Walk& walk);
  void end(std::list<Walk>::iterator walk);

  QueueHost& host_;
  Clock& clock_;
  HeadersOf headers_of_;
  Rng rng_{1};  // nobody asks for it
  std::list<Walk> walks_;
};

}  // namespace weir::node
