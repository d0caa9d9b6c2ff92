// What it is: field tables as values that own what they hold: for arguments, capabilities, headers that we
// add. Where only a look is needed, field_view.h does it without allocating.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "protocol/amqp091/codec/decoded.h"
#include "protocol/amqp091/codec/field_view.h"
#include "protocol/amqp091/codec/method.h"

namespace weir::amqp091 {

struct FieldValue;
struct FieldEntry;

struct Decimal {
  std::uint8_t scale = 0;  // digits after the point
  std::uint32_t digits = 0;
  bool operator==(const Decimal&) const = default;
};
struct Timestamp {
  std::uint64_t seconds = 0;  // since 1970, UTC
  bool operator==(const Timestamp&) const = default;
};
struct ByteString {
  std::string bytes;
  bool operator==(const ByteString&) const = default;
};
struct FieldArray {
  std::vector<FieldValue> values;
  bool operator==(const FieldArray&) const;
};
// In the order of the wire; a name may come twice, then the first one counts.
struct FieldTable {
  std::vector<FieldEntry> entries;

  // Appends an entry and returns the table: FieldTable().add("product", "Weir").add("capabilities", inner).
  FieldTable& add(std::string_view name, FieldValue value) &;
  FieldTable&& add(std::string_view name, FieldValue value) &&;
  const FieldValue* find(std::string_view name) const;
  bool operator==(const FieldTable&) const;
};

template <typename T, typename... Alternatives>
concept OneOf = (std::same_as<T, Alternatives> || ...);

struct FieldValue {
  using Variant = std::variant<std::monostate, bool, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t,
                               std::int32_t, std::uint32_t, std::int64_t, float, double, Decimal, Timestamp,
                               std::string, ByteString, FieldArray, FieldTable>;
  Variant value;

  FieldValue() = default;  // void ('V')
  // Implicit, so that a table can be written down as one; each C++ type is one wire type (std::string is
  // 'S').
  template <
      OneOf<bool, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t,
            std::int64_t, float, double, Decimal, Timestamp, std::string, ByteString, FieldArray, FieldTable>
          T>
  FieldValue(T from)
      : value(std::in_place_type<T>, std::move(from)) {}  // NOLINT(google-explicit-constructor)
  FieldValue(const char* text);                           // NOLINT(google-explicit-constructor)
  FieldValue(std::string_view text);                      // NOLINT(google-explicit-constructor)

  template <typename T>
  const T* get() const {
    return std::get_if<T>(&value);
  }
  bool operator==(const FieldValue&) const = default;
};

struct FieldEntry {
  std::string name;  // at most 255 bytes
  FieldValue value;
  bool operator==(const FieldEntry&) const = default;
};

// The tree of a table's content (without its length). Valid input is what validate_table takes; the limits
// are its limits. L is decoded as l is; a bool other than 0 and 1 as true. Error: 502.
Decoded<FieldTable> decode_table(Bytes content);

// The tree of one value that a cursor or find_in_table showed in a content that validate_table has accepted.
FieldValue value_of(const FieldView& view);

// Appends the content of a table (without its length). Names are at most 255 bytes: asserted.
void append_table(std::vector<std::byte>& out, const FieldTable& table);

// Appends one entry. Since a table's content is nothing but its entries one after the other, this also
// extends a content that came from the wire. (An entry copied as a FieldView keeps its bits.)
void append_entry(std::vector<std::byte>& out, std::string_view name, const FieldValue& value);
void append_entry(std::vector<std::byte>& out, std::string_view name, const FieldView& value);

// append_table into a vector of its own; `TableBytes{encoded}` makes it a method's argument while the vector
// lives.
std::vector<std::byte> encode_table(const FieldTable& table);

}  // namespace weir::amqp091
