#include "protocol/amqp091/routing_headers.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "protocol/amqp091/codec/field_table.h"

namespace weir::amqp091 {

namespace {

constexpr std::string_view carbon_copy = "CC";
constexpr std::string_view blind_copy = "BCC";

// As RabbitMQ calls the types.
std::string_view name_of(FieldType type) {
  switch (type) {
    case FieldType::boolean: return "bool";
    case FieldType::i8: return "byte";
    case FieldType::u8: return "unsignedbyte";
    case FieldType::i16: return "short";
    case FieldType::u16: return "unsignedshort";
    case FieldType::i32: return "signedint";
    case FieldType::u32: return "unsignedint";
    case FieldType::i64:
    case FieldType::i64_too: return "long";
    case FieldType::f32: return "float";
    case FieldType::f64: return "double";
    case FieldType::decimal: return "decimal";
    case FieldType::timestamp: return "timestamp";
    case FieldType::none: return "void";
    case FieldType::text: return "longstr";
    case FieldType::bytes: return "binary";
    case FieldType::array: return "array";
    case FieldType::table: return "table";
  }
  WEIR_UNREACHABLE();
}

}  // namespace

std::string read_routing_headers(TableBytes headers, RoutingHeaders& into) {
  into.keys.clear();
  into.blind_keys.clear();
  into.blind = false;
  bool carbon = false;
  for (TableCursor at(headers.content); at.next();) {
    // Of a name that comes twice the first counts.
    if (at.name() == carbon_copy && !carbon) {
      carbon = true;
    } else if (at.name() == blind_copy && !into.blind) {
      into.blind = true;
    } else {
      continue;
    }
    const auto keys = at.value().as_array();
    if (!keys) {
      return fmt::format("invalid message: {{unacceptable_type_in_header,\"{}\",{}}}", at.name(),
                         name_of(at.value().type));
    }
    for (ArrayCursor key(*keys); key.next();) {
      if (key.value().type != FieldType::text) continue;
      into.keys.push_back(as_text(key.value().data));
      if (at.name() == blind_copy) into.blind_keys.push_back(into.keys.back());
    }
  }
  return {};
}

std::vector<std::byte> without_blind_keys(TableBytes headers) {
  std::vector<std::byte> kept;
  for (TableCursor at(headers.content); at.next();) {
    if (at.name() != blind_copy) append_entry(kept, at.name(), at.value());
  }
  return kept;
}

}  // namespace weir::amqp091
