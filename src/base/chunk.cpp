#include "base/chunk.h"

#include <cstdlib>
#include <new>

#include "base/assert.h"

namespace weir {

Chunk* Chunk::make(std::size_t capacity) {
  capacity = align_up(capacity, 4096);
  auto* data = static_cast<std::byte*>(std::aligned_alloc(4096, capacity));
  WEIR_ASSERT(data != nullptr);
  return new Chunk(data, capacity);
}

void Chunk::destroy() {
  std::free(data_);
  delete this;
}

}  // namespace weir
