#include "protocol/mqtt/text_store.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"

namespace weir::mqtt {

namespace {

constexpr std::size_t length_bytes = 2;

// A vector that doubles has a third of its memory empty on average.
template <typename Vector>
void grow(Vector& vector, std::size_t size) {
  if (size > vector.capacity()) vector.reserve(std::max(size, vector.capacity() + vector.capacity() / 4));
  vector.resize(size);
}

}  // namespace

TextStore::Block TextStore::block_for(std::size_t text_bytes) {
  const std::size_t units = (length_bytes + text_bytes + sizeof(Unit) - 1) / sizeof(Unit);
  if (units <= exact_units) return {units, units - 1};
  const std::size_t rounded = std::bit_ceil(units);
  return {rounded, exact_units + static_cast<std::size_t>(std::countr_zero(rounded / exact_units)) - 1};
}

TextStore::Ref TextStore::put(std::string_view text) {
  WEIR_ASSERT(text.size() <= text_bytes_max);
  const Block block = block_for(text.size());
  Ref ref = free_[block.size_class];
  if (ref != none) {
    free_[block.size_class] = units_[ref];
  } else {
    const std::size_t begin = std::max<std::size_t>(units_.size(), 1);
    WEIR_ASSERT(begin + block.units <= UINT32_MAX);
    grow(units_, begin + block.units);
    ref = static_cast<Ref>(begin);
  }
  auto* const to = reinterpret_cast<char*>(units_.data() + ref);
  const auto length = static_cast<std::uint16_t>(text.size());
  std::memcpy(to, &length, sizeof length);
  if (!text.empty()) std::memcpy(to + length_bytes, text.data(), text.size());
  return ref;
}

std::string_view TextStore::get(Ref ref) const {
  const auto* const from = reinterpret_cast<const char*>(units_.data() + ref);
  std::uint16_t length = 0;
  std::memcpy(&length, from, sizeof length);
  return {from + length_bytes, length};
}

void TextStore::drop(Ref ref) {
  if (ref == none) return;
  const Block block = block_for(get(ref).size());
  units_[ref] = free_[block.size_class];
  free_[block.size_class] = ref;
}

}  // namespace weir::mqtt
