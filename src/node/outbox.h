// What it is: what a shard gathers in a turn for the others. Messages for one shard keep the order in which they were
// made; a batch goes on growing as long as nothing else came in between.
// Shard: its own.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "node/messages.h"

namespace weir::node {

class Outbox {
 public:
  Outbox(std::uint16_t shards, Peers& peers) : peers_(peers), to_(shards) {}

  // The batch of this kind that is open for `to`.
  template <typename Batch>
  Batch& batch(ShardId to) {
    std::vector<ShardMessage>& messages = to_[to.value];
    if (!messages.empty()) {
      if (auto* open = std::get_if<std::unique_ptr<Batch>>(&messages.back())) return **open;
    }
    auto made = std::make_unique<Batch>();
    Batch& reference = *made;
    messages.emplace_back(std::move(made));
    return reference;
  }
  void add(ShardId to, ShardMessage message) { to_[to.value].push_back(std::move(message)); }

  // At the end of a turn.
  void flush() {
    for (std::size_t shard = 0; shard < to_.size(); ++shard) {
      if (!to_[shard].empty()) peers_.send(ShardId{static_cast<std::uint16_t>(shard)}, to_[shard]);
    }
  }
  // Before a message that others may learn of by another way: changes of definitions.
  void flush_to(ShardId to) {
    if (!to_[to.value].empty()) peers_.send(to, to_[to.value]);
  }

 private:
  Peers& peers_;
  std::vector<std::vector<ShardMessage>> to_;
};

// A batch keeps a chunk once, however many of its items lie in it: they come in runs.
inline void hold(std::vector<ChunkRef>& holds, Chunk* chunk) {
  if (chunk == nullptr) return;
  if (!holds.empty() && holds.back().get() == chunk) return;
  holds.push_back(ChunkRef::share(chunk));
}

}  // namespace weir::node
