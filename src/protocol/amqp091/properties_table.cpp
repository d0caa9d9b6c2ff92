#include "protocol/amqp091/properties_table.h"

#include <fmt/format.h>

#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "base/limits.h"
#include "base/utf8.h"
#include "protocol/amqp091/codec/field_table.h"
#include "protocol/amqp091/mapping.h"

namespace weir::amqp091 {
namespace {

// As RabbitMQ names it.
constexpr std::string_view long_correlation = "x-correlation-id";

struct Faults {
  std::optional<Error>* first;
  void note(std::string_view what, std::string_view name) const {
    if (first != nullptr && !*first)
      *first = Error{ErrorCode::invalid_argument, fmt::format("{}: {}", what, name)};
  }
};

template <typename Number>
void read_number(const broker::Table& from, std::string_view name, std::optional<Number>& to, Faults faults) {
  const broker::Value* const value = from.find(name);
  if (value == nullptr) return;
  std::int64_t number = 0;
  if (!value->as_integer(number)) return faults.note("not_int", name);
  if (number < 0 || (sizeof(Number) == 1 && number > std::numeric_limits<std::uint8_t>::max()))
    return faults.note("out_of_range", name);
  to = static_cast<Number>(number);
}

void read_text(const broker::Table& from, std::string_view name, std::optional<std::string_view>& to,
               Faults faults) {
  const broker::Value* const value = from.find(name);
  if (value == nullptr) return;
  if (value->as_string() == nullptr) return faults.note("not_a_string", name);
  if (!valid_utf8(*value->as_string())) return faults.note("not_utf8", name);
  if (value->as_string()->size() > limits::name_bytes_max) return faults.note("too_long", name);
  to = *value->as_string();
}

}  // namespace

Properties properties_from(const broker::Table& table, std::vector<std::byte>& headers,
                           std::optional<Error>* fault) {
  const Faults faults{fault};
  Properties properties;
  for (const auto& [name, member] : text_properties) read_text(table, name, properties.*member, faults);
  read_number(table, "delivery_mode", properties.delivery_mode, faults);
  read_number(table, "priority", properties.priority, faults);
  read_number(table, "timestamp", properties.timestamp_s, faults);
  FieldTable wire;
  const broker::Value* const value = table.find("headers");
  const auto* const fields = value == nullptr ? nullptr : std::get_if<broker::Table>(&value->v);
  if (fields != nullptr) wire = table_to_wire(*fields);
  if (value != nullptr && fields == nullptr) faults.note("not_a_table", "headers");
  const broker::Value* const correlation = table.find("correlation_id");
  const bool too_much =
      correlation != nullptr && correlation->as_string() != nullptr && !properties.correlation_id;
  if (too_much) wire.add(long_correlation, *correlation->as_string());
  if (fields == nullptr && !too_much) return properties;
  headers = encode_table(wire);
  properties.headers = TableBytes{headers};
  return properties;
}

broker::Table properties_table(Bytes raw) { return table_of_properties(properties_of(PropertiesView(raw))); }

}  // namespace weir::amqp091
