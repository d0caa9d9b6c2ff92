#include <algorithm>

#include "node/session.h"

namespace weir::node {

namespace {

constexpr std::size_t chunk_bytes = 1U << 20;

}  // namespace

MutableBytes ReadBuffer::reserve(std::size_t bytes_min) {
  if (chunk_ && chunk_->unique()) used_ = 0;  // nobody refers to it any more
  if (!chunk_ || chunk_->capacity() - used_ < bytes_min) {
    chunk_ = ChunkRef::adopt(Chunk::make(std::max(chunk_bytes, bytes_min)));
    used_ = 0;
  }
  return {chunk_->data() + used_, chunk_->capacity() - used_};
}

}  // namespace weir::node
