// What it is: a transaction that a session gathers: for each shard a batch that the shard carries out as one, and what it
// takes in memory and in a journal at most.
// Shard: its session's.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "node/messages.h"
#include "node/session.h"

namespace weir::node {

class ShardSession;

class ShardTransaction final : public Transaction {
 public:
  ShardTransaction(ShardSession& session, std::uint16_t shards) : session_(session), parts_(shards) {}

  Result<PublishResult> publish(const Publish& publish, OnShards* on) override;
  Status settle(ConsumerNumber consumer, QueueId queue, Seq seq, Outcome outcome) override;

  // By shard; null: nothing is for it.
  std::vector<std::unique_ptr<TransactionBatch>>& parts() { return parts_; }

 private:
  TransactionBatch& part(ShardId shard);
  Status charge(std::size_t bytes);

  ShardSession& session_;
  std::vector<std::unique_ptr<TransactionBatch>> parts_;
  std::size_t bytes_ = 0;  // at most
};

// Of records in the journal, at most.
std::size_t publish_journal_bytes(const broker::IncomingMessage& message, std::size_t targets);
inline constexpr std::size_t settle_journal_bytes = 24;        // of each message
inline constexpr std::size_t settle_item_journal_bytes = 128;  // and of each item

}  // namespace weir::node
