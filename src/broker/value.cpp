#include "broker/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <type_traits>

namespace weir::broker {

namespace {

template <typename T>
constexpr bool is_plain_integer = std::is_integral_v<T> && !std::is_same_v<T, bool>;

std::vector<std::size_t> order_by_key(const std::vector<Field>& fields) {
  std::vector<std::size_t> order(fields.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return fields[a].key < fields[b].key; });
  return order;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  return out;
}

struct Describer {
  std::string operator()(std::monostate) const { return "undefined"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  template <typename T>
    requires is_plain_integer<T>
  std::string operator()(T value) const {
    return std::to_string(value);
  }
  template <typename T>
    requires std::is_floating_point_v<T>
  std::string operator()(T value) const {
    std::string text = fmt::format("{}", value);
    if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
    return text;
  }
  std::string operator()(const Decimal& value) const {
    return fmt::format("{{{},{}}}", static_cast<unsigned>(value.scale), value.unscaled);
  }
  std::string operator()(Timestamp value) const { return std::to_string(value.seconds); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const ByteString& value) const { return value.bytes; }
  std::string operator()(const Uuid& value) const {
    return hex({reinterpret_cast<const char*>(value.bytes), sizeof value.bytes});
  }
  std::string operator()(const Array& value) const { return fmt::format("[{} values]", value.size()); }
  std::string operator()(const Table& value) const { return fmt::format("[{} fields]", value.size()); }
};

struct TypeNamer {
  std::string_view operator()(std::monostate) const { return "void"; }
  std::string_view operator()(bool) const { return "bool"; }
  std::string_view operator()(std::int8_t) const { return "byte"; }
  std::string_view operator()(std::uint8_t) const { return "unsignedbyte"; }
  std::string_view operator()(std::int16_t) const { return "short"; }
  std::string_view operator()(std::uint16_t) const { return "unsignedshort"; }
  std::string_view operator()(std::int32_t) const { return "signedint"; }
  std::string_view operator()(std::uint32_t) const { return "unsignedint"; }
  std::string_view operator()(std::int64_t) const { return "long"; }
  std::string_view operator()(std::uint64_t) const { return "unsignedlong"; }
  std::string_view operator()(float) const { return "float"; }
  std::string_view operator()(double) const { return "double"; }
  std::string_view operator()(const Decimal&) const { return "decimal"; }
  std::string_view operator()(Timestamp) const { return "timestamp"; }
  std::string_view operator()(const std::string&) const { return "longstr"; }
  std::string_view operator()(const ByteString&) const { return "binary"; }
  std::string_view operator()(const Uuid&) const { return "uuid"; }
  std::string_view operator()(const Array&) const { return "array"; }
  std::string_view operator()(const Table&) const { return "table"; }
};

}  // namespace

const Value* Table::find(std::string_view key) const {
  for (const Field& field : fields_) {
    if (field.key == key) return &field.value;
  }
  return nullptr;
}

void Table::set(std::string key, Value value) {
  for (Field& field : fields_) {
    if (field.key == key) {
      field.value = std::move(value);
      return;
    }
  }
  append(std::move(key), std::move(value));
}

void Table::append(std::string key, Value value) {
  fields_.push_back(Field{std::move(key), std::move(value)});
}

void Table::remove(std::string_view key) {
  std::erase_if(fields_, [&](const Field& field) { return field.key == key; });
}

bool Table::operator==(const Table& other) const {
  if (fields_.size() != other.fields_.size()) return false;
  if (fields_ == other.fields_) return true;
  // The same fields in another order are the same table.
  const std::vector<std::size_t> mine = order_by_key(fields_);
  const std::vector<std::size_t> theirs = order_by_key(other.fields_);
  for (std::size_t i = 0; i < mine.size(); ++i) {
    if (!(fields_[mine[i]] == other.fields_[theirs[i]])) return false;
  }
  return true;
}

bool Value::operator==(const Value&) const = default;

bool Value::as_integer(std::int64_t& out) const {
  return std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (is_plain_integer<T>) {
          if constexpr (std::is_same_v<T, std::uint64_t>) {
            if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return false;
          }
          out = static_cast<std::int64_t>(value);
          return true;
        } else {
          return false;
        }
      },
      v);
}

std::string_view type_name(const Value& value) { return std::visit(TypeNamer{}, value.v); }

std::string to_text(const Value& value) { return std::visit(Describer{}, value.v); }

std::string describe(const Value& value) {
  return fmt::format("the value '{}' of type '{}'", to_text(value), type_name(value));
}

}  // namespace weir::broker
