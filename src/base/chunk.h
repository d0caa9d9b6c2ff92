// What it is: a block of bytes that several owners, on any shard, keep alive by counted references.
// Received data and the journal's write buffers live in chunks; a message that crosses to another shard goes as a
// slice of one, never as a copy.
// Shard: the count is atomic; the bytes are written by one shard only, before a slice of them is handed on.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/bytes.h"

namespace weir {

class Chunk {
 public:
  // Alignment is 4096 so that a chunk can be written with O_DIRECT. Never null: out of memory aborts.
  static Chunk* make(std::size_t capacity);

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  std::size_t capacity() const { return capacity_; }

  void add_refs(std::uint32_t count = 1) { refs_.fetch_add(count, std::memory_order_relaxed); }
  void release() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }
  // True if the caller holds the only reference: the bytes may be reused.
  bool unique() const { return refs_.load(std::memory_order_acquire) == 1; }

 private:
  Chunk(std::byte* data, std::size_t capacity) : data_(data), capacity_(capacity) {}
  void destroy();

  std::byte* data_;
  std::size_t capacity_;
  std::atomic<std::uint32_t> refs_{1};
};

// An owning pointer to a Chunk.
class ChunkRef {
 public:
  ChunkRef() = default;
  // Takes over the reference that `make` gave.
  static ChunkRef adopt(Chunk* chunk) {
    ChunkRef ref;
    ref.chunk_ = chunk;
    return ref;
  }
  // Adds a reference.
  static ChunkRef share(Chunk* chunk) {
    if (chunk != nullptr) chunk->add_refs();
    return adopt(chunk);
  }
  ChunkRef(const ChunkRef& other) : chunk_(other.chunk_) {
    if (chunk_ != nullptr) chunk_->add_refs();
  }
  ChunkRef(ChunkRef&& other) noexcept : chunk_(std::exchange(other.chunk_, nullptr)) {}
  ChunkRef& operator=(ChunkRef other) noexcept {
    std::swap(chunk_, other.chunk_);
    return *this;
  }
  ~ChunkRef() {
    if (chunk_ != nullptr) chunk_->release();
  }

  Chunk* get() const { return chunk_; }
  Chunk* operator->() const { return chunk_; }
  explicit operator bool() const { return chunk_ != nullptr; }
  void reset() { *this = ChunkRef(); }

 private:
  Chunk* chunk_ = nullptr;
};

}  // namespace weir
