// What it is: the vocabulary in which the methods of AMQP 0-9-1 are described (see *_methods.h).
//
// A method is a plain struct. Its `info` says its ids, name and sender; its static `fields` names the members
// in the order of the wire. The type of a member is its type on the wire:
//
//   std::uint8_t   octet           bool              bit (neighbours share an octet, low bit first)
//   std::uint16_t  short           std::string_view  shortstr (u8 length)
//   std::uint32_t  long            LongString        longstr (u32 length)
//   std::uint64_t  longlong        TableBytes        table (u32 length)
//
// That is all that encoding and decoding need: method_codec.h derives both directions of every method from
// it.
// Lifetime: a decoded method views into the payload that it was decoded from.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace weir::amqp091 {

struct MethodId {
  std::uint16_t class_id = 0;
  std::uint16_t method_id = 0;
  constexpr std::uint32_t value() const { return std::uint32_t{class_id} << 16 | method_id; }
  bool operator==(const MethodId&) const = default;
};

enum class Sender : std::uint8_t { client, server, both };

struct MethodInfo {
  MethodId id;
  std::string_view name;  // "queue.declare"
  Sender sender;
  bool has_content = false;  // a header frame and body frames follow
};

// A string of up to 4 GiB; not necessarily text.
struct LongString {
  std::string_view value{};
  bool operator==(const LongString&) const = default;
};

// The entries of a field table, without the length that precedes them on the wire. Empty: an empty table. In
// a decoded method or property list it is valid (validate_table has said so). See field_view.h,
// field_table.h.
struct TableBytes {
  Bytes content{};
  bool operator==(const TableBytes& other) const { return std::ranges::equal(content, other.content); }
};

inline constexpr std::size_t short_string_bytes_max = 255;

}  // namespace weir::amqp091
