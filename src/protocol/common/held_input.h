// What it is: input that was read and can't be handled yet: the connection waits for something.
#pragma once

#include <cstddef>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/chunk.h"

namespace weir {

class HeldInput {
 public:
  // Of nothing else held.
  void hold(Bytes input, Chunk* chunk) {
    if (input.empty()) return;
    if (input.size() <= copy_bytes_max) {
      chunk_ = ChunkRef::adopt(Chunk::make(input.size()));
      std::memcpy(chunk_->data(), input.data(), input.size());
      bytes_ = {chunk_->data(), input.size()};
    } else {
      chunk_ = ChunkRef::share(chunk);
      bytes_ = input;
    }
  }
  bool empty() const { return bytes_.empty(); }
  // `chunk` keeps the bytes.
  Bytes take(ChunkRef& chunk) {
    chunk = std::move(chunk_);
    return std::exchange(bytes_, {});
  }
  void clear() {
    bytes_ = {};
    chunk_.reset();
  }

 private:
  // Up to this size it is copied, so that it does not keep the shard's read buffer from being reused.
  static constexpr std::size_t copy_bytes_max = 64U << 10;

  Bytes bytes_;
  ChunkRef chunk_;
};

}  // namespace weir
