// What it is: field tables (spec 4.2.5.5) read in place, without a tree and without allocation: cursors,
// lookup, validation. The tree is field_table.h.
//
//   table  = { name shortstr, value }*            without the u32 length that precedes it on the wire
//   array  = { value }*                           likewise
//   value  = type letter, then by letter:
//     t bool u8 | b i8 | B u8 | s i16 | u u16 | I i32 | i u32 | l and L i64 | f float | d double
//     D decimal: u8 digits after the point, u32 all digits | T timestamp u64 seconds | V nothing
//     S text, x bytes, A array, F table: u32 length, content
//
// The letters mean what RabbitMQ and its clients mean by them, which differs from the specification's own
// list: s is a 16 bit integer, never a short string; L is signed, as l is; U does not exist.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "protocol/amqp091/codec/decoded.h"

namespace weir::amqp091 {

inline constexpr std::size_t table_bytes_max = 1U << 20;
inline constexpr std::uint32_t table_values_max = 65'536;  // all values, nested ones too
inline constexpr unsigned table_depth_max = 32;  // tables and arrays within each other; the outermost is 1

enum class FieldType : std::uint8_t {
  boolean = 't',
  i8 = 'b',
  u8 = 'B',
  i16 = 's',
  u16 = 'u',
  i32 = 'I',
  u32 = 'i',
  i64 = 'l',
  i64_too = 'L',
  f32 = 'f',
  f64 = 'd',
  decimal = 'D',
  timestamp = 'T',
  none = 'V',
  text = 'S',
  bytes = 'x',
  array = 'A',
  table = 'F',
};

// One value where it lies. The as_… functions answer nullopt when the value is of another kind.
struct FieldView {
  FieldType type = FieldType::none;
  Bytes data{};  // without type letter and length

  std::optional<std::int64_t> as_integer() const;  // any of b B s u I i l L; not timestamps
  std::optional<double> as_number() const;         // f or d
  std::optional<bool> as_bool() const;
  std::optional<std::uint64_t> as_timestamp_s() const;
  std::optional<std::string_view> as_text() const;  // S or x
  std::optional<Bytes> as_table() const;            // content for a TableCursor
  std::optional<Bytes> as_array() const;            // content for an ArrayCursor
};

// for (TableCursor at(content); at.next();) use(at.name(), at.value()); On content that validate_table has
// not seen, ok() says after the loop whether it came to a clean end. (A cursor checks its own level; what
// lies within nested values is checked when they are walked.)
class TableCursor {
 public:
  explicit TableCursor(Bytes content) : at_(content.data()), end_(content.data() + content.size()) {}
  bool next();
  bool ok() const { return ok_; }
  std::string_view name() const { return name_; }
  const FieldView& value() const { return value_; }

 private:
  const std::byte* at_;
  const std::byte* end_;
  std::string_view name_{};
  FieldView value_{};
  bool ok_ = true;
};

class ArrayCursor {
 public:
  explicit ArrayCursor(Bytes content) : at_(content.data()), end_(content.data() + content.size()) {}
  bool next();
  bool ok() const { return ok_; }
  const FieldView& value() const { return value_; }

 private:
  const std::byte* at_;
  const std::byte* end_;
  FieldView value_{};
  bool ok_ = true;
};

// Whether a table's content holds, to its last leaf and within the limits above. Error: 502.
Decoded<void> validate_table(Bytes content);

// The first value of that name on the top level; nullopt when there is none or the content breaks off before
// it.
std::optional<FieldView> find_in_table(Bytes content, std::string_view name);

}  // namespace weir::amqp091
