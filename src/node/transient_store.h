// What it is: memory for messages that are not journaled: bump allocation in chunks; a chunk goes when the last
// message in it goes. One message may be in several queues (fan-out): it counts its queues.
// Shard: its own; bytes in use are counted for the node's memory watermark.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/chunk.h"

namespace weir::node {

class TransientStore {
 public:
  explicit TransientStore(std::atomic<std::uint64_t>& bytes_in_use) : bytes_in_use_(bytes_in_use) {}
  ~TransientStore();
  TransientStore(const TransientStore&) = delete;
  TransientStore& operator=(const TransientStore&) = delete;

  // Room for an envelope that `queues` will refer to. Returns its reference (below 2^60).
  std::uint64_t allocate(std::size_t bytes, std::uint32_t queues, std::byte*& envelope);
  // One queue less.
  void release(std::uint64_t reference);

  static std::byte* envelope(std::uint64_t reference);
  static Chunk* chunk(std::uint64_t reference);
  static std::size_t bytes(std::uint64_t reference);

 private:
  std::atomic<std::uint64_t>& bytes_in_use_;
  ChunkRef open_;
  std::size_t used_ = 0;
};

}  // namespace weir::node
