#include "node/transient_store.h"

#include <new>

#include "base/assert.h"

namespace weir::node {
namespace {

constexpr std::size_t chunk_bytes = 64U << 10;
constexpr std::size_t own_chunk_from_bytes = 16U << 10;

// In front of each message, 16-aligned.
struct Header {
  Chunk* chunk;
  std::uint32_t queues;
  std::uint32_t bytes;
};
static_assert(sizeof(Header) == 16);

Header* header(std::uint64_t reference) { return reinterpret_cast<Header*>(reference << 4); }

}  // namespace

TransientStore::~TransientStore() = default;

std::uint64_t TransientStore::allocate(std::size_t bytes, std::uint32_t queues, std::byte*& envelope) {
  const std::size_t span = align_up(sizeof(Header) + bytes, 16);
  Chunk* chunk = nullptr;
  std::byte* at = nullptr;
  if (span >= own_chunk_from_bytes) {
    chunk = Chunk::make(span);  // its one reference is the message's
    at = chunk->data();
  } else {
    if (!open_ || used_ + span > open_->capacity()) {
      if (open_ && open_->unique()) {
        used_ = 0;  // all that was in it is gone: begin again
      } else {
        open_ = ChunkRef::adopt(Chunk::make(chunk_bytes));
        used_ = 0;
      }
    }
    chunk = open_.get();
    at = chunk->data() + used_;
    used_ += span;
    chunk->add_refs();
  }
  new (at) Header{chunk, queues, static_cast<std::uint32_t>(bytes)};
  bytes_in_use_.fetch_add(span, std::memory_order_relaxed);
  envelope = at + sizeof(Header);
  return reinterpret_cast<std::uint64_t>(at) >> 4;
}

void TransientStore::release(std::uint64_t reference) {
  Header* const message = header(reference);
  WEIR_ASSERT(message->queues > 0);
  if (--message->queues > 0) return;
  bytes_in_use_.fetch_sub(align_up(sizeof(Header) + message->bytes, 16), std::memory_order_relaxed);
  message->chunk->release();
}

std::byte* TransientStore::envelope(std::uint64_t reference) {
  return reinterpret_cast<std::byte*>(header(reference)) + sizeof(Header);
}
Chunk* TransientStore::chunk(std::uint64_t reference) { return header(reference)->chunk; }
std::size_t TransientStore::bytes(std::uint64_t reference) { return header(reference)->bytes; }

}  // namespace weir::node
