// What it is: what the tests of the disks share: aligned buffers and requests that remember their result.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <vector>

#include "runtime/disk.h"

namespace weir::runtime {

class AlignedBuffer {
 public:
  explicit AlignedBuffer(std::size_t size, std::byte fill = std::byte{0})
      : size_(size), data_(static_cast<std::byte*>(std::aligned_alloc(disk_block_bytes, size))) {
    std::fill_n(data_.get(), size, fill);
  }
  MutableBytes bytes() { return {data_.get(), size_}; }
  std::byte& operator[](std::size_t at) { return data_.get()[at]; }
  bool all(std::byte value) const {
    return std::all_of(data_.get(), data_.get() + size_, [=](std::byte b) { return b == value; });
  }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::size_t size_;
  std::unique_ptr<std::byte, Free> data_;
};

class Probe final : public IoRequest {
 public:
  void on_io(std::int64_t result) override { result_ = result; }
  bool done() const { return result_.has_value(); }
  std::int64_t result() const { return result_.value(); }

 private:
  std::optional<std::int64_t> result_;
};

}  // namespace weir::runtime
