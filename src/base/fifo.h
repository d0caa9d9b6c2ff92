// What it is: a queue that takes no memory until something is in it: for objects of which there are many and few are busy.
// (An empty std::deque has allocated half a KiB.) Memory is given back when it runs empty after having been large.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace weir {

// T is default-constructible and movable.
template <typename T>
class Fifo {
 public:
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  // The oldest is 0.
  T& operator[](std::size_t at) { return ring_[(head_ + at) & (ring_.size() - 1)]; }
  const T& operator[](std::size_t at) const { return ring_[(head_ + at) & (ring_.size() - 1)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[count_ - 1]; }

  T& push_back(T value) {
    if (count_ == ring_.size()) grow();
    T& place = (*this)[count_++];
    place = std::move(value);
    return place;
  }
  void pop_front() {
    WEIR_ASSERT(count_ > 0);
    front() = T();
    head_ = (head_ + 1) & (ring_.size() - 1);
    if (--count_ == 0 && ring_.size() > kept_max) clear();
  }
  void clear() {
    ring_ = std::vector<T>();
    head_ = count_ = 0;
  }
  template <typename Visit>
  void for_each(Visit&& visit) {
    for (std::size_t at = 0; at < count_; ++at) visit((*this)[at]);
  }

 private:
  static constexpr std::size_t first_size = 4, kept_max = 1'024;

  void grow() {
    std::vector<T> larger(ring_.empty() ? first_size : ring_.size() * 2);
    for (std::size_t at = 0; at < count_; ++at) larger[at] = std::move((*this)[at]);
    ring_ = std::move(larger);
    head_ = 0;
  }

  std::vector<T> ring_;  // a power of two, or none
  std::size_t head_ = 0, count_ = 0;
};

}  // namespace weir
