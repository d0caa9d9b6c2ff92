// What it is: which group a message belongs to: a hash of what its header says. On disk: never change it.
#pragma once

#include <cstdint>
#include <string_view>

#include "broker/value.h"

namespace weir::broker {

// Never 0, which is "no group". FNV-1a, mixed at the end.
inline std::uint64_t group_key(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  hash = (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15ULL;
  hash ^= hash >> 29;
  return hash == 0 ? 1 : hash;
}
// Numbers and texts that read alike are one group. A header that is not there, or is void: none.
inline std::uint64_t group_key(const Value* header) {
  if (header == nullptr || std::holds_alternative<std::monostate>(header->v)) return 0;
  return group_key(to_text(*header));
}

}  // namespace weir::broker
