// What it is: between AMQP 0-9-1's values and the broker's: field tables, and what the broker wants to know of a message's
// properties. The properties themselves are stored and sent on as they came (NativeForm::amqp091).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "broker/message.h"
#include "broker/message_extras.h"
#include "node/session.h"
#include "protocol/amqp091/codec/content.h"
#include "protocol/amqp091/codec/field_table.h"
#include "protocol/amqp091/codec/method.h"

namespace weir::amqp091 {

// `table` was validated, as that of every decoded method and property list is. Of a name that comes twice, the first
// value counts.
broker::Table table_from_wire(TableBytes table);

// What 0-9-1 has no type for: an unsigned 64 bit number that does not fit a signed one becomes its digits, a UUID its 16
// bytes. Names beyond 255 bytes are cut.
FieldTable table_to_wire(const broker::Table& table);

// Names of queues and exchanges lose them where they are declared, bound and deleted.
std::string without_line_ends(std::string_view name);

// Why an expiration property is refused ("no_integer"); empty: it is a number of milliseconds in range.
std::string expiration_fault(std::string_view expiration);

// Of one without a fault.
std::uint32_t expiration_ms(std::string_view expiration);

// "message_id", "correlation_id" or "timestamp"; none: it has none.
std::optional<std::string> property_text(PropertiesView properties, std::string_view name);

// The headers of a message on its way in, decoded only when a headers exchange asks for them.
class MessageHeaders final : public broker::HeaderSource {
 public:
  explicit MessageHeaders(Bytes raw_properties) : properties_(raw_properties) {}
  const broker::Table& headers() override;
  std::optional<std::string> property(std::string_view name) override {
    return property_text(properties_, name);
  }

 private:
  PropertiesView properties_;
  std::optional<broker::Table> table_;
};

// The properties that are text, by the names that RabbitMQ's management API gives them.
struct TextProperty {
  std::string_view name;
  std::optional<std::string_view> Properties::* member;
};
inline constexpr TextProperty text_properties[] = {
    {"content_type", &Properties::content_type},
    {"content_encoding", &Properties::content_encoding},
    {"correlation_id", &Properties::correlation_id},
    {"reply_to", &Properties::reply_to},
    {"expiration", &Properties::expiration},
    {"message_id", &Properties::message_id},
    {"type", &Properties::type},
    {"user_id", &Properties::user_id},
    {"app_id", &Properties::app_id},
    {"cluster_id", &Properties::cluster_id},
};

// All of them, by those names.
broker::Table table_of_properties(const Properties& properties);

}  // namespace weir::amqp091
