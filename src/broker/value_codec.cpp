#include "broker/value_codec.h"

#include <algorithm>
#include <bit>
#include <type_traits>

#include "base/assert.h"

namespace weir::broker {

namespace {

enum class Tag : std::uint8_t {
  null = 0,
  boolean = 1,
  int8 = 2,
  uint8 = 3,
  int16 = 4,
  uint16 = 5,
  int32 = 6,
  uint32 = 7,
  int64 = 8,
  uint64 = 9,
  float32 = 10,
  float64 = 11,
  decimal = 12,
  timestamp = 13,
  string = 14,
  bytes = 15,
  uuid = 16,
  array = 17,
  table = 18,
};

constexpr std::size_t value_bytes_min = 1;
constexpr std::size_t field_bytes_min = 2 + value_bytes_min;

void encode_value(const Value& value, Writer& out);

struct Encoder {
  Writer& out;

  void tag(Tag tag) const { out.u8(static_cast<std::uint8_t>(tag)); }
  template <typename Unsigned>
  void number(Tag which, Unsigned value) const {
    tag(which);
    out.le(value);
  }
  void text(Tag which, std::string_view value) const {
    number(which, static_cast<std::uint32_t>(value.size()));
    out.text(value);
  }
  // The tag is followed by as many bytes as the integer has.
  template <typename T>
  void integer(Tag which, T value) const {
    number(which, static_cast<std::make_unsigned_t<T>>(value));
  }

  void operator()(std::monostate) const { tag(Tag::null); }
  void operator()(bool value) const { number(Tag::boolean, static_cast<std::uint8_t>(value)); }
  void operator()(std::int8_t value) const { integer(Tag::int8, value); }
  void operator()(std::uint8_t value) const { integer(Tag::uint8, value); }
  void operator()(std::int16_t value) const { integer(Tag::int16, value); }
  void operator()(std::uint16_t value) const { integer(Tag::uint16, value); }
  void operator()(std::int32_t value) const { integer(Tag::int32, value); }
  void operator()(std::uint32_t value) const { integer(Tag::uint32, value); }
  void operator()(std::int64_t value) const { integer(Tag::int64, value); }
  void operator()(std::uint64_t value) const { integer(Tag::uint64, value); }
  void operator()(float value) const { number(Tag::float32, std::bit_cast<std::uint32_t>(value)); }
  void operator()(double value) const { number(Tag::float64, std::bit_cast<std::uint64_t>(value)); }
  void operator()(const Decimal& value) const {
    number(Tag::decimal, value.scale);
    out.le(static_cast<std::uint32_t>(value.unscaled));
  }
  void operator()(Timestamp value) const { number(Tag::timestamp, value.seconds); }
  void operator()(const std::string& value) const { text(Tag::string, value); }
  void operator()(const ByteString& value) const { text(Tag::bytes, value.bytes); }
  void operator()(const Uuid& value) const {
    tag(Tag::uuid);
    out.bytes(std::as_bytes(std::span(value.bytes)));
  }
  void operator()(const Array& values) const {
    number(Tag::array, static_cast<std::uint32_t>(values.size()));
    for (const Value& value : values) encode_value(value, out);
  }
  void operator()(const Table& table) const {
    tag(Tag::table);
    encode_table(table, out);
  }
};

void encode_value(const Value& value, Writer& out) { std::visit(Encoder{out}, value.v); }

bool has_repeated_key(const std::vector<Field>& fields) {
  std::vector<std::string_view> keys;
  keys.reserve(fields.size());
  for (const Field& field : fields) keys.push_back(field.key);
  std::sort(keys.begin(), keys.end());
  return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
}

class Decoder {
 public:
  explicit Decoder(Reader& from) : from_(from) {}

  bool table(Table& out, std::size_t depth) {
    if (depth > value_depth_max) return false;
    const std::uint32_t count = from_.le<std::uint32_t>();
    if (count > from_.left() / field_bytes_min) return false;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint16_t key_bytes = from_.le<std::uint16_t>();
      if (key_bytes > table_key_bytes_max) return false;
      std::string key(as_text(from_.bytes(key_bytes)));
      Value field;
      if (!value(field, depth)) return false;
      out.append(std::move(key), std::move(field));
    }
    return from_.ok() && !has_repeated_key(out.fields());
  }

 private:
  template <typename T>
  bool integer(Value& out) {
    out.v = static_cast<T>(from_.le<std::make_unsigned_t<T>>());
    return from_.ok();
  }
  std::string text() { return std::string(as_text(from_.bytes(from_.le<std::uint32_t>()))); }

  bool array(Value& out, std::size_t depth) {
    if (depth > value_depth_max) return false;
    const std::uint32_t count = from_.le<std::uint32_t>();
    if (count > from_.left() / value_bytes_min) return false;
    Array values;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (!value(values.emplace_back(), depth)) return false;
    }
    out.v = std::move(values);
    return true;
  }

  bool boolean(Value& out) {
    const std::uint8_t byte = from_.u8();
    out.v = byte == 1;
    return from_.ok() && byte <= 1;
  }

  bool other(Tag tag, Value& out, std::size_t depth) {
    switch (tag) {
      case Tag::float32: out.v = std::bit_cast<float>(from_.le<std::uint32_t>()); return from_.ok();
      case Tag::float64: out.v = std::bit_cast<double>(from_.le<std::uint64_t>()); return from_.ok();
      case Tag::decimal: {
        const std::uint8_t scale = from_.u8();
        out.v = Decimal{scale, static_cast<std::int32_t>(from_.le<std::uint32_t>())};
        return from_.ok();
      }
      case Tag::timestamp: out.v = Timestamp{from_.le<std::uint64_t>()}; return from_.ok();
      case Tag::string: out.v = text(); return from_.ok();
      case Tag::bytes: out.v = ByteString{text()}; return from_.ok();
      case Tag::uuid: {
        const Bytes bytes = from_.bytes(sizeof(Uuid::bytes));
        Uuid uuid;
        if (from_.ok()) std::memcpy(uuid.bytes, bytes.data(), bytes.size());
        out.v = uuid;
        return from_.ok();
      }
      case Tag::array: return array(out, depth + 1);
      case Tag::table: {
        Table inner;
        if (!table(inner, depth + 1)) return false;
        out.v = std::move(inner);
        return true;
      }
      default: return false;
    }
  }

  bool value(Value& out, std::size_t depth) {
    const Tag tag = static_cast<Tag>(from_.u8());
    if (!from_.ok()) return false;
    switch (tag) {
      case Tag::null: return true;
      case Tag::boolean: return boolean(out);
      case Tag::int8: return integer<std::int8_t>(out);
      case Tag::uint8: return integer<std::uint8_t>(out);
      case Tag::int16: return integer<std::int16_t>(out);
      case Tag::uint16: return integer<std::uint16_t>(out);
      case Tag::int32: return integer<std::int32_t>(out);
      case Tag::uint32: return integer<std::uint32_t>(out);
      case Tag::int64: return integer<std::int64_t>(out);
      case Tag::uint64: return integer<std::uint64_t>(out);
      default: return other(tag, out, depth);
    }
  }

  Reader& from_;
};

}  // namespace

void encode_table(const Table& table, Writer& out) {
  out.le(static_cast<std::uint32_t>(table.size()));
  for (const Field& field : table.fields()) {
    WEIR_ASSERT(field.key.size() <= table_key_bytes_max);
    out.le(static_cast<std::uint16_t>(field.key.size()));
    out.text(field.key);
    encode_value(field.value, out);
  }
}

bool decode_table(Reader& from, Table& out) { return Decoder(from).table(out, 1); }

}  // namespace weir::broker
