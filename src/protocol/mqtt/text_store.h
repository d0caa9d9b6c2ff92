// What it is: many short texts in one block of memory, each known by a number of 32 bits: two bytes more than the text,
// rounded up to four, where an allocation of its own would cost sixteen and a pointer.
// Lifetime: a view lives until the next put().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace weir::mqtt {

class TextStore {
 public:
  using Ref = std::uint32_t;
  static constexpr Ref none = 0;
  static constexpr std::size_t text_bytes_max = 65'535;

  // Not of a view of its own. At most text_bytes_max: asserted.
  Ref put(std::string_view text);
  std::string_view get(Ref ref) const;
  void drop(Ref ref);
  std::size_t bytes() const { return units_.capacity() * sizeof(Unit); }

 private:
  using Unit = std::uint32_t;
  // Blocks of up to so many units are kept apart by their size, larger ones by powers of two.
  static constexpr std::size_t exact_units = 32, large_classes = 10;

  struct Block {
    std::size_t units, size_class;
  };
  static Block block_for(std::size_t text_bytes);

  std::vector<Unit> units_;  // the first one is nobody's
  // The first free block of each class; its first unit names the next.
  std::array<Ref, exact_units + large_classes + 1> free_{};
};

}  // namespace weir::mqtt
