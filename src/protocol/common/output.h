// What it is: what a connection has to send, as pieces for a gathered write: small frames are written into blocks of a
// pool, large bodies are only referred to. An idle connection holds no block.
// Shard: the connection's.
// Lifetime: the pool outlives the outputs that use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/chunk.h"
#include "base/error.h"
#include "base/fifo.h"
#include "runtime/stream.h"

namespace weir {

inline constexpr std::size_t output_block_bytes = 64U << 10;
// A body up to this size is copied between its frames' headers; a larger one becomes a piece of its own.
inline constexpr std::size_t body_copy_bytes_max = 4'096;

class OutputBlocks {
 public:
  ChunkRef take();
  void give_back(ChunkRef block);

 private:
  static constexpr std::size_t free_max = 64;
  std::vector<ChunkRef> free_;
};

class Output {
 public:
  explicit Output(OutputBlocks& blocks) : blocks_(blocks) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() { clear(); }

  // `bytes` writable bytes that follow each other; valid until the next call.
  std::byte* reserve(std::size_t bytes) {
    if (block_ && block_->capacity() - used_ >= bytes) [[likely]]
      return block_->data() + used_;
    return reserve_in_new_block(bytes);
  }
  // The first `bytes` of the reserved ones are written.
  void commit(std::size_t bytes);
  // Sends `bytes`, which lie in `chunk`, without a copy.
  void refer(ChunkRef chunk, Bytes bytes);

  // A gap: what comes behind it waits until it is closed; what it is filled with goes first. There may be several: the
  // first one is filled and closed first.
  void open_gap() { behind_.push_back({}); }
  bool has_gap() const { return !behind_.empty(); }
  void fill(ChunkRef chunk, Bytes bytes);
  void close_gap();
  // Closes all, without what came behind them.
  void drop_behind_gaps();

  std::size_t unsent_bytes() const { return unsent_bytes_; }
  // Without what waits behind a gap.
  std::size_t sendable_bytes() const { return unsent_bytes_ - behind_bytes_; }
  bool empty() const { return unsent_bytes_ == 0; }
  std::uint64_t sent_bytes() const { return sent_bytes_; }

  // Writes what the stream takes. True: nothing is left, or only what is behind a gap. False: on_writable will come.
  Result<bool> flush(runtime::ByteStream& stream);
  void clear();

 private:
  struct Piece {
    ChunkRef chunk;
    const std::byte* data = nullptr;
    std::size_t size = 0;
    bool block = false;  // in a block of the pool
  };
  // Between two gaps, or behind the last one.
  struct Segment {
    std::vector<Piece> pieces;
    std::size_t bytes = 0;
  };
  void add(Piece piece);
  std::byte* reserve_in_new_block(std::size_t bytes);
  void take_off(std::size_t bytes);
  void release(Piece& piece);

  OutputBlocks& blocks_;
  ChunkRef block_;  // being filled
  std::size_t used_ = 0;
  std::vector<Piece> pieces_;
  std::size_t first_ = 0;  // of pieces_ that is not sent yet
  Fifo<Segment> behind_;   // gaps
  std::size_t behind_bytes_ = 0;
  std::size_t unsent_bytes_ = 0;
  std::uint64_t sent_bytes_ = 0;
};

}  // namespace weir
