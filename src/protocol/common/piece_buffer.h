// What it is: the piece of a large body that is being received: grows with what comes, up to one piece, so that many
// messages that have begun at once cost what they have sent and not a piece each.
// Lifetime: of the message; without memory before its first byte and after release().
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/bytes.h"
#include "base/chunk.h"

namespace weir {

class PieceBuffer {
 public:
  // Copies what fits, and returns the rest: then it is full.
  Bytes put(Bytes from, std::size_t piece_bytes) {
    const std::size_t wanted = std::min(piece_bytes, used_ + from.size());
    if (wanted > capacity()) grow(wanted, piece_bytes);
    const std::size_t count = wanted - used_;
    std::memcpy(chunk_->data() + used_, from.data(), count);
    used_ += count;
    return from.subspan(count);
  }
  bool full(std::size_t piece_bytes) const { return used_ == piece_bytes; }
  bool empty() const { return used_ == 0; }
  Bytes bytes() const { return {chunk_->data(), used_}; }
  Chunk* chunk() const { return chunk_.get(); }
  std::size_t capacity() const { return chunk_ ? chunk_->capacity() : 0; }

  // It was handed on: the next piece begins, in the same memory if nobody keeps it.
  void next() {
    used_ = 0;
    if (chunk_ && !chunk_->unique()) chunk_.reset();
  }
  void release() {
    used_ = 0;
    chunk_.reset();
  }

 private:
  void grow(std::size_t wanted, std::size_t piece_bytes) {
    constexpr std::size_t first_bytes = 16U << 10;
    std::size_t bytes = std::max(first_bytes, capacity());
    while (bytes < wanted) bytes *= 4;
    const ChunkRef larger = ChunkRef::adopt(Chunk::make(std::min(bytes, std::max(piece_bytes, wanted))));
    if (used_ > 0) std::memcpy(larger->data(), chunk_->data(), used_);
    chunk_ = larger;
  }

  ChunkRef chunk_;
  std::size_t used_ = 0;
};

}  // namespace weir
