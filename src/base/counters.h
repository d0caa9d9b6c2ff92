// What it is: a fixed set of counters, one for each value of an enumeration whose last one is `count`. Plain integers: who
// counts is who owns them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace weir {

template <typename Kind>
class Counters {
 public:
  static constexpr std::size_t size = static_cast<std::size_t>(Kind::count);

  std::uint64_t& operator[](Kind kind) { return values_[static_cast<std::size_t>(kind)]; }
  std::uint64_t operator[](Kind kind) const { return values_[static_cast<std::size_t>(kind)]; }
  std::uint64_t at(std::size_t index) const { return values_[index]; }

  Counters& operator+=(const Counters& other) {
    for (std::size_t i = 0; i < size; ++i) values_[i] += other.values_[i];
    return *this;
  }
  bool operator==(const Counters&) const = default;

 private:
  std::array<std::uint64_t, size> values_{};
};

// How fast they grow: per second.
template <typename Kind>
class Rates {
 public:
  double& operator[](Kind kind) { return values_[static_cast<std::size_t>(kind)]; }
  double operator[](Kind kind) const { return values_[static_cast<std::size_t>(kind)]; }
  double& at(std::size_t index) { return values_[index]; }
  double at(std::size_t index) const { return values_[index]; }

  Rates& operator+=(const Rates& other) {
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] += other.values_[i];
    return *this;
  }

 private:
  std::array<double, Counters<Kind>::size> values_{};
};

}  // namespace weir
