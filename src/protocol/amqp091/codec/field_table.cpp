#include "protocol/amqp091/codec/field_table.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "base/cursor.h"

namespace weir::amqp091 {

namespace {

// Builds the tree of views that validate_table has accepted, so that nothing here can fail.
FieldValue build_value(const FieldView& view);

FieldTable build_table(Bytes content) {
  FieldTable table;
  for (TableCursor cursor(content); cursor.next();) {
    table.entries.push_back({std::string(cursor.name()), build_value(cursor.value())});
  }
  return table;
}

FieldArray build_array(Bytes content) {
  FieldArray array;
  for (ArrayCursor cursor(content); cursor.next();) array.values.push_back(build_value(cursor.value()));
  return array;
}

FieldValue build_value(const FieldView& view) {
  Reader reader(view.data);
  switch (view.type) {
    case FieldType::none: return {};
    case FieldType::boolean: return reader.u8() != 0;
    case FieldType::i8: return static_cast<std::int8_t>(reader.u8());
    case FieldType::u8: return reader.u8();
    case FieldType::i16: return static_cast<std::int16_t>(reader.be<std::uint16_t>());
    case FieldType::u16: return reader.be<std::uint16_t>();
    case FieldType::i32: return static_cast<std::int32_t>(reader.be<std::uint32_t>());
    case FieldType::u32: return reader.be<std::uint32_t>();
    case FieldType::i64:
    case FieldType::i64_too: return static_cast<std::int64_t>(reader.be<std::uint64_t>());
    case FieldType::f32: return std::bit_cast<float>(reader.be<std::uint32_t>());
    case FieldType::f64: return std::bit_cast<double>(reader.be<std::uint64_t>());
    case FieldType::decimal: {
      const std::uint8_t scale = reader.u8();
      return Decimal{scale, reader.be<std::uint32_t>()};
    }
    case FieldType::timestamp: return Timestamp{reader.be<std::uint64_t>()};
    case FieldType::text: return std::string(as_text(view.data));
    case FieldType::bytes: return ByteString{std::string(as_text(view.data))};
    case FieldType::array: return build_array(view.data);
    case FieldType::table: return build_table(view.data);
  }
  WEIR_UNREACHABLE();
}

// Writes a value: its type letter, then what the letter asks for.
class ValueWriter {
 public:
  explicit ValueWriter(Writer& out) : out_(out) {}

  void operator()(std::monostate) { letter(FieldType::none); }
  void operator()(bool value) { put(FieldType::boolean, std::uint8_t{value}); }
  void operator()(std::int8_t value) { put(FieldType::i8, static_cast<std::uint8_t>(value)); }
  void operator()(std::uint8_t value) { put(FieldType::u8, value); }
  void operator()(std::int16_t value) { put(FieldType::i16, static_cast<std::uint16_t>(value)); }
  void operator()(std::uint16_t value) { put(FieldType::u16, value); }
  void operator()(std::int32_t value) { put(FieldType::i32, static_cast<std::uint32_t>(value)); }
  void operator()(std::uint32_t value) { put(FieldType::u32, value); }
  void operator()(std::int64_t value) { put(FieldType::i64, static_cast<std::uint64_t>(value)); }
  void operator()(float value) { put(FieldType::f32, std::bit_cast<std::uint32_t>(value)); }
  void operator()(double value) { put(FieldType::f64, std::bit_cast<std::uint64_t>(value)); }
  void operator()(Decimal value) {
    put(FieldType::decimal, value.scale);
    out_.be(value.digits);
  }
  void operator()(Timestamp value) { put(FieldType::timestamp, value.seconds); }
  void operator()(const std::string& value) {
    letter(FieldType::text);
    out_.text32_be(value);
  }
  void operator()(const ByteString& value) {
    letter(FieldType::bytes);
    out_.text32_be(value.bytes);
  }
  void operator()(const FieldArray& array) {
    letter(FieldType::array);
    const std::size_t at = begin_length();
    for (const FieldValue& value : array.values) std::visit(*this, value.value);
    end_length(at);
  }
  void operator()(const FieldTable& table) {
    letter(FieldType::table);
    const std::size_t at = begin_length();
    content(table);
    end_length(at);
  }

  void content(const FieldTable& table) {
    for (const FieldEntry& entry : table.entries) {
      name(entry.name);
      std::visit(*this, entry.value.value);
    }
  }
  void name(std::string_view text) {
    WEIR_ASSERT(text.size() <= short_string_bytes_max);
    out_.text8(text);
  }

 private:
  void letter(FieldType type) { out_.u8(static_cast<std::uint8_t>(type)); }
  template <std::unsigned_integral T>
  void put(FieldType type, T value) {
    letter(type);
    out_.be(value);
  }
  std::size_t begin_length() {
    const std::size_t at = out_.size();
    out_.be(std::uint32_t{0});
    return at;
  }
  void end_length(std::size_t at) {
    out_.patch_be(at, static_cast<std::uint32_t>(out_.size() - at - sizeof(std::uint32_t)));
  }

  Writer& out_;
};

bool has_length(FieldType type) {
  return type == FieldType::text || type == FieldType::bytes || type == FieldType::array ||
         type == FieldType::table;
}

}  // namespace

FieldValue::FieldValue(const char* text) : value(std::string(text)) {}
FieldValue::FieldValue(std::string_view text) : value(std::string(text)) {}

bool FieldArray::operator==(const FieldArray&) const = default;
bool FieldTable::operator==(const FieldTable&) const = default;

FieldTable& FieldTable::add(std::string_view name, FieldValue value) & {
  entries.push_back({std::string(name), std::move(value)});
  return *this;
}

FieldTable&& FieldTable::add(std::string_view name, FieldValue value) && {
  return std::move(add(name, std::move(value)));
}

const FieldValue* FieldTable::find(std::string_view name) const {
  const auto found = std::ranges::find(entries, name, &FieldEntry::name);
  return found == entries.end() ? nullptr : &found->value;
}

Decoded<FieldTable> decode_table(Bytes content) {
  if (const auto valid = validate_table(content); !valid) return std::unexpected(valid.error());
  return build_table(content);
}

FieldValue value_of(const FieldView& view) { return build_value(view); }

void append_table(std::vector<std::byte>& out, const FieldTable& table) {
  Writer writer(out);
  ValueWriter(writer).content(table);
}

void append_entry(std::vector<std::byte>& out, std::string_view name, const FieldValue& value) {
  Writer writer(out);
  ValueWriter values(writer);
  values.name(name);
  std::visit(values, value.value);
}

void append_entry(std::vector<std::byte>& out, std::string_view name, const FieldView& value) {
  Writer writer(out);
  ValueWriter(writer).name(name);
  writer.u8(static_cast<std::uint8_t>(value.type));
  if (has_length(value.type)) writer.be(static_cast<std::uint32_t>(value.data.size()));
  writer.bytes(value.data);
}

std::vector<std::byte> encode_table(const FieldTable& table) {
  std::vector<std::byte> out;
  append_table(out, table);
  return out;
}

}  // namespace weir::amqp091
