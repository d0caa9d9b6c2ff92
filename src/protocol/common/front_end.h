// What it is: a protocol on one shard, as the server sees it: connections go in, and at the end all of them go.
// Shard: its BrokerClient's.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/stream.h"

namespace weir {

class FrontEnd {
 public:
  virtual ~FrontEnd() = default;

  virtual void accept(std::unique_ptr<runtime::ByteStream> stream) = 0;
  // Every client is asked to go, and what has not gone after the protocol's grace is cut off; then `done`, once. Nothing is
  // accepted any more.
  virtual void shut_down(std::function<void()> done) = 0;
};

// How many connections there are, of all protocols on all shards.
class ConnectionTally {
 public:
  explicit ConnectionTally(std::uint64_t most) : most_(most) {}
  bool full() const { return open_.load(std::memory_order_relaxed) >= most_; }
  std::uint64_t most() const { return most_; }
  void add(std::int64_t count) {
    open_.fetch_add(static_cast<std::uint64_t>(count), std::memory_order_relaxed);
  }

 private:
  const std::uint64_t most_;
  std::atomic<std::uint64_t> open_{0};
};

}  // namespace weir
