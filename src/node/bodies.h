// What it is: the bodies of large messages on one shard. A large body is a run of pieces; a piece is a message of a hidden
// queue (bodies_queue), written as it comes, and knows the piece before it. The message itself comes behind its pieces in
// the same log, without a body, and knows the last of them: what makes it durable makes them durable.
// Whoever needs a body holds it: each queue that has the message, each reader. When the last one lets go, the pieces are
// settled, in the log behind what settled the messages. A start finds again who needs what; pieces that nothing leads to
// are what a crash left of messages that never came to be, or that are gone.
// Shard: its own.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/chunk.h"
#include "base/error.h"
#include "broker/message_extras.h"
#include "broker/queue.h"
#include "storage/journal.h"

namespace weir::node {

// A piece as it is read. `chunk` keeps it: add a reference to hold it longer.
struct BodyBytes {
  Bytes bytes;
  Chunk* chunk = nullptr;
};

// Waits for one piece. Lifetime: in place until on_piece, or Bodies::cancel.
class PieceWaiter {
 public:
  virtual void on_piece(Result<BodyBytes> piece) = 0;

 protected:
  ~PieceWaiter() = default;
};

class Bodies {
 public:
  Bodies();
  ~Bodies();
  Bodies(const Bodies&) = delete;
  Bodies& operator=(const Bodies&) = delete;
  void use_journal(storage::Journal& journal) { journal_ = &journal; }
  // The hidden one, for replay and checkpoints.
  broker::Queue& queue() { return *queue_; }
  const broker::Queue& queue() const { return *queue_; }

  // --- in ---

  // A body that is being written. Its pieces are nobody's until it is held.
  struct Writing {
    std::uint64_t end = 0;  // one past its last piece; 0: there is none yet
    std::uint32_t bytes = 0;
    bool held = false;    // by the writer, since a message has come for it
    bool failed = false;  // there was no room: nothing is left of it
  };
  void append(Writing& body, std::span<const Bytes> piece, std::size_t bytes, std::uint64_t now_ms);
  // Nothing more comes; where no message has come for it, it goes.
  void close(Writing& body);

  // --- who needs it; `end` is MessageAttributes::pieces_end ---

  void hold(std::uint64_t end) { ++bodies_[end].holds; }
  void release(std::uint64_t end);

  // --- out ---

  // A piece was found damaged, or is missing: the body can't be delivered any more.
  bool is_broken(std::uint64_t end);
  // Of a body that is held: piece `number` of it, counted from 0. Answered at the end of a turn or when it comes from the
  // disk, never inside of the call. corrupt, io_error, not_found: the body is broken.
  void read(std::uint64_t end, std::uint32_t number, PieceWaiter& waiter);
  void cancel(PieceWaiter& waiter);
  // Of a body that is held.
  std::uint32_t pieces(std::uint64_t end);
  std::uint64_t bytes(std::uint64_t end);  // that its records take; 0 if it is broken

  // --- the turn ---

  bool has_work() const { return !asked_.empty(); }
  void serve();  // reads
  // What was settled, for the log, behind that of all other queues.
  std::vector<std::pair<Seq, std::uint32_t>>& settled_runs() { return queue_->settled_runs; }

  // After replay, when all messages that need a body hold it. `whole`: nothing of the log is damaged or missing.
  void replayed(bool whole);
  std::uint64_t count() const { return bodies_.size(); }

 private:
  struct Body {
    std::uint32_t holds = 0;
    bool broken = false;
    std::vector<Seq> pieces;  // in order; found when it is first read
    std::uint64_t bytes = 0;  // of its records, when somebody has asked
  };
  struct Asked {
    std::uint64_t end;
    std::uint32_t number;
    PieceWaiter* waiter;
  };
  class Load;

  // From the last one to the first. False: one is missing.
  template <typename F>
  bool visit(std::uint64_t end, F&& each);
  void settle(std::uint64_t end);
  Body* find(std::uint64_t end);
  void answer(const Asked& asked);
  void load(const Asked& asked, Seq seq, std::uint64_t reference);
  void loaded(Load& load, Result<storage::CachedRecord> record);
  void fail_read(const Asked& asked, Seq seq, const Error& error);
  static BodyBytes view(const storage::CachedRecord& record);

  storage::Journal* journal_ = nullptr;
  std::unique_ptr<broker::Queue> queue_;
  std::unordered_map<std::uint64_t, Body> bodies_;  // that somebody holds
  std::deque<Asked> asked_;
  std::vector<std::unique_ptr<Load>> loads_;
  std::vector<std::byte> extras_;  // scratch
};

}  // namespace weir::node
