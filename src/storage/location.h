// What it is: where a record is: which journal file (slot), where in it and how long, in 60 bits, so that a queue's
// index entry (location + 4 bits of state) is 8 bytes.
//
//   59        46 45                    22 21                   0
//  +------------+------------------------+----------------------+
//  |  slot 14   |     offset / 16  24    |   length / 16   22   |      16,384 files x 256 MiB; records to 64 MiB
//  +------------+------------------------+----------------------+
#pragma once

#include <compare>
#include <cstdint>

namespace weir::storage {

inline constexpr std::uint64_t record_alignment = 16;
inline constexpr std::uint64_t slots_max = 1U << 14;
inline constexpr std::uint64_t file_bytes_limit = 256U << 20;
inline constexpr std::uint64_t record_bytes_limit = 64U << 20;

class Location {
 public:
  constexpr Location() = default;
  constexpr Location(std::uint32_t slot, std::uint64_t offset, std::uint64_t bytes)
      : packed_(std::uint64_t{slot} << 46 | (offset / record_alignment) << 22 | bytes / record_alignment) {}
  static constexpr Location from_packed(std::uint64_t packed) {
    Location location;
    location.packed_ = packed;
    return location;
  }
  constexpr std::uint64_t packed() const { return packed_; }
  constexpr std::uint32_t slot() const { return static_cast<std::uint32_t>(packed_ >> 46); }
  constexpr std::uint64_t offset() const { return (packed_ >> 22 & 0xff'ffff) * record_alignment; }
  constexpr std::uint64_t bytes() const { return (packed_ & 0x3f'ffff) * record_alignment; }
  constexpr auto operator<=>(const Location&) const = default;

 private:
  std::uint64_t packed_ = 0;
};

}  // namespace weir::storage
