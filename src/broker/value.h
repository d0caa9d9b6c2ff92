// What it is: a typed value, as arguments and application headers carry it, whatever protocol it came by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace weir::broker {

struct Value;
struct Field;

struct Decimal {
  std::uint8_t scale = 0;
  std::int32_t unscaled = 0;
  bool operator==(const Decimal&) const = default;
};
struct Timestamp {
  std::uint64_t seconds = 0;  // Unix
  bool operator==(const Timestamp&) const = default;
};
struct Uuid {
  std::uint8_t bytes[16] = {};
  bool operator==(const Uuid&) const = default;
};
struct ByteString {  // binary, as opposed to text
  std::string bytes;
  bool operator==(const ByteString&) const = default;
};
using Array = std::vector<Value>;

// Ordered, keys may not repeat; small, so look-ups are linear. Two tables are equal whatever the order of their fields.
class Table {
 public:
  const Value* find(std::string_view key) const;
  void set(std::string key, Value value);     // replaces
  void append(std::string key, Value value);  // the caller knows that the key is new
  void remove(std::string_view key);
  bool empty() const;
  std::size_t size() const;
  const std::vector<Field>& fields() const { return fields_; }
  bool operator==(const Table& other) const;

 private:
  std::vector<Field> fields_;
};

// Integers keep their width: AMQP 0-9-1 tells int8 from int64, and what leaves must be what came.
struct Value {
  using Variant = std::variant<std::monostate, bool, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t,
                               std::int32_t, std::uint32_t, std::int64_t, std::uint64_t, float, double,
                               Decimal, Timestamp, std::string, ByteString, Uuid, Array, Table>;
  Variant v;

  bool operator==(const Value&) const;
  // Any integer type, widened; false if it is none (or does not fit).
  bool as_integer(std::int64_t& out) const;
  const std::string* as_string() const { return std::get_if<std::string>(&v); }
};

struct Field {
  std::string key;
  Value value;
  bool operator==(const Field&) const = default;
};

inline bool Table::empty() const { return fields_.empty(); }
inline std::size_t Table::size() const { return fields_.size(); }

// For messages to people: "the value 'abc' of type 'longstr'".
std::string describe(const Value& value);
// Its two parts: abc, and the name that AMQP 0-9-1 brokers use for the type.
std::string to_text(const Value& value);
std::string_view type_name(const Value& value);

}  // namespace weir::broker
