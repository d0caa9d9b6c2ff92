// What it is: the contents of one simulated file, in pages that copies share until one of them writes: cloning a
// machine for every crash point of an exploration costs pointers, and zeros cost nothing.
// Shard: one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace weir::runtime {

class SimFile {
 public:
  explicit SimFile(std::uint64_t bytes = 0) { resize(bytes); }

  std::uint64_t size() const { return size_; }
  void resize(std::uint64_t bytes);  // grows with zeros
  // Bytes read; fewer only at the end of the file.
  std::size_t read(std::uint64_t offset, MutableBytes into) const;
  void write(std::uint64_t offset, Bytes data);  // grows as needed

 private:
  static constexpr std::size_t page_bytes = 16U << 10;
  using Page = std::array<std::byte, page_bytes>;

  std::byte* writable(std::size_t page);

  std::vector<std::shared_ptr<Page>> pages_;  // null: zeros
  std::uint64_t size_ = 0;
};

}  // namespace weir::runtime
