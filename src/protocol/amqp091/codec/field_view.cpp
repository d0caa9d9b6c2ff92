#include "protocol/amqp091/codec/field_view.h"

#include <array>
#include <bit>

namespace weir::amqp091 {

namespace {

constexpr std::uint8_t unknown_type = 0xFF;
constexpr std::uint8_t length_first = 0xFE;

// By type letter: how many bytes follow it, or one of the two above.
constexpr auto sizes = [] {
  std::array<std::uint8_t, 256> by_letter{};
  by_letter.fill(unknown_type);
  const auto set = [&](FieldType type, std::uint8_t size) {
    by_letter[static_cast<std::uint8_t>(type)] = size;
  };
  set(FieldType::none, 0);
  for (const auto type : {FieldType::boolean, FieldType::i8, FieldType::u8}) set(type, 1);
  for (const auto type : {FieldType::i16, FieldType::u16}) set(type, 2);
  for (const auto type : {FieldType::i32, FieldType::u32, FieldType::f32}) set(type, 4);
  set(FieldType::decimal, 5);
  for (const auto type : {FieldType::i64, FieldType::i64_too, FieldType::f64, FieldType::timestamp})
    set(type, 8);
  for (const auto type : {FieldType::text, FieldType::bytes, FieldType::array, FieldType::table}) {
    set(type, length_first);
  }
  return by_letter;
}();

std::size_t left(const std::byte* at, const std::byte* end) { return static_cast<std::size_t>(end - at); }

// Takes one value, type letter first, and moves `at` behind it; false when it does not hold.
bool take_value(const std::byte*& at, const std::byte* end, FieldView& value) {
  if (at == end) return false;
  const auto letter = static_cast<std::uint8_t>(*at++);
  std::size_t size = sizes[letter];
  if (size == unknown_type) return false;
  if (size == length_first) {
    if (left(at, end) < sizeof(std::uint32_t)) return false;
    size = load_be<std::uint32_t>(at);
    at += sizeof(std::uint32_t);
  }
  if (left(at, end) < size) return false;
  value = {static_cast<FieldType>(letter), Bytes(at, size)};
  at += size;
  return true;
}

bool take_name(const std::byte*& at, const std::byte* end, std::string_view& name) {
  const auto size = static_cast<std::uint8_t>(*at++);
  if (left(at, end) < size) return false;
  name = as_text(Bytes(at, size));
  at += size;
  return true;
}

std::optional<std::int64_t> load_integer(FieldView view) {
  const std::byte* at = view.data.data();
  switch (view.type) {
    case FieldType::i8: return static_cast<std::int8_t>(load_be<std::uint8_t>(at));
    case FieldType::u8: return load_be<std::uint8_t>(at);
    case FieldType::i16: return static_cast<std::int16_t>(load_be<std::uint16_t>(at));
    case FieldType::u16: return load_be<std::uint16_t>(at);
    case FieldType::i32: return static_cast<std::int32_t>(load_be<std::uint32_t>(at));
    case FieldType::u32: return load_be<std::uint32_t>(at);
    case FieldType::i64:
    case FieldType::i64_too: return static_cast<std::int64_t>(load_be<std::uint64_t>(at));
    default: return std::nullopt;
  }
}

// Walks a table or an array to its leaves, counting values. The recursion is as deep as table_depth_max at
// most.
class Walk {
 public:
  bool table(Bytes content, unsigned depth) {
    TableCursor cursor(content);
    while (cursor.next()) {
      if (!value(cursor.value(), depth)) return false;
    }
    return cursor.ok();
  }

 private:
  bool array(Bytes content, unsigned depth) {
    ArrayCursor cursor(content);
    while (cursor.next()) {
      if (!value(cursor.value(), depth)) return false;
    }
    return cursor.ok();
  }
  bool value(const FieldView& view, unsigned depth) {
    if (values_left_ == 0) return false;
    --values_left_;
    if (view.type == FieldType::table) return depth < table_depth_max && table(view.data, depth + 1);
    if (view.type == FieldType::array) return depth < table_depth_max && array(view.data, depth + 1);
    return true;
  }

  std::uint32_t values_left_ = table_values_max;
};

}  // namespace

std::optional<std::int64_t> FieldView::as_integer() const { return load_integer(*this); }

std::optional<double> FieldView::as_number() const {
  if (type == FieldType::f64) return std::bit_cast<double>(load_be<std::uint64_t>(data.data()));
  if (type == FieldType::f32) return std::bit_cast<float>(load_be<std::uint32_t>(data.data()));
  return std::nullopt;
}

std::optional<bool> FieldView::as_bool() const {
  if (type != FieldType::boolean) return std::nullopt;
  return data[0] != std::byte{0};
}

std::optional<std::uint64_t> FieldView::as_timestamp_s() const {
  if (type != FieldType::timestamp) return std::nullopt;
  return load_be<std::uint64_t>(data.data());
}

std::optional<std::string_view> FieldView::as_text() const {
  if (type != FieldType::text && type != FieldType::bytes) return std::nullopt;
  return weir::as_text(data);
}

std::optional<Bytes> FieldView::as_table() const {
  if (type != FieldType::table) return std::nullopt;
  return data;
}

std::optional<Bytes> FieldView::as_array() const {
  if (type != FieldType::array) return std::nullopt;
  return data;
}

bool TableCursor::next() {
  if (at_ == end_) return false;
  ok_ = take_name(at_, end_, name_) && take_value(at_, end_, value_);
  if (!ok_) at_ = end_;
  return ok_;
}

bool ArrayCursor::next() {
  if (at_ == end_) return false;
  ok_ = take_value(at_, end_, value_);
  if (!ok_) at_ = end_;
  return ok_;
}

Decoded<void> validate_table(Bytes content) {
  if (content.empty()) return {};
  if (content.size() > table_bytes_max || !Walk().table(content, 1)) {
    return refuse(ReplyCode::syntax_error, "malformed field table");
  }
  return {};
}

std::optional<FieldView> find_in_table(Bytes content, std::string_view name) {
  for (TableCursor cursor(content); cursor.next();) {
    if (cursor.name() == name) return cursor.value();
  }
  return std::nullopt;
}

}  // namespace weir::amqp091
