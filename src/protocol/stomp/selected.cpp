#include "protocol/stomp/selected.h"

#include <array>
#include <cmath>
#include <utility>
#include <variant>

#include "protocol/stomp/codec/stored_headers.h"
#include "protocol/stomp/destination.h"
#include "protocol/stomp/properties.h"

namespace weir::stomp {
namespace {

using Value = broker::SelectorValue;

// The names that JMS has for properties.
std::string_view header_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> names{{
      {"JMSType", "type"},
      {"JMSPriority", "priority"},
      {"JMSCorrelationID", "correlation-id"},
      {"JMSReplyTo", "reply-to"},
      {"JMSMessageID", "amqp-message-id"},
      {"JMSTimestamp", "timestamp"},
      {"JMSRedelivered", "redelivered"},
  }};
  for (const auto& [theirs, ours] : names) {
    if (theirs == name) return ours;
  }
  return name;
}

// What is no number, truth or text is not known.
struct AsSelectorValue {
  template <typename T>
  Value operator()(const T& value) const {
    if constexpr (std::is_same_v<T, bool>) {
      return value;
    } else if constexpr (std::is_same_v<T, std::uint64_t>) {
      if (value > INT64_MAX) return static_cast<double>(value);
      return static_cast<std::int64_t>(value);
    } else if constexpr (std::is_integral_v<T>) {
      return std::int64_t{value};
    } else if constexpr (std::is_floating_point_v<T>) {
      return double{value};
    } else if constexpr (std::is_same_v<T, broker::Timestamp>) {
      return static_cast<std::int64_t>(value.seconds);
    } else if constexpr (std::is_same_v<T, broker::Decimal>) {
      return value.unscaled / std::pow(10.0, value.scale);
    } else if constexpr (std::is_same_v<T, std::string>) {
      return std::string_view(value);
    } else {
      return {};
    }
  }
};

}  // namespace

Value SelectedMessage::property(std::string_view name) {
  const std::string_view header = header_of(name);
  if (header == "redelivered") return delivery_.redelivered;
  if (header == "destination") {
    std::string& text = texts_.emplace_back();
    append_destination(text, delivery_.message.exchange, delivery_.message.routing_key);
    return broker::UntypedText{text};
  }
  return delivery_.message.native == broker::NativeForm::stomp ? stored(header) : converted(header);
}

Value SelectedMessage::stored(std::string_view name) {
  if (const auto text = header_text(delivery_.message.properties, name)) return broker::UntypedText{*text};
  auto found = find_stored(as_text(delivery_.message.properties), name);
  if (!found) return {};
  return broker::UntypedText{texts_.emplace_back(std::move(*found))};
}

Value SelectedMessage::converted(std::string_view name) {
  if (!table_) table_ = forms_.properties_of(delivery_.message);
  const broker::Value* value = nullptr;
  if (const auto property = property_named(name)) {
    value = table_->find(*property);
    std::int64_t mode = 0;
    if (name == "persistent")
      return value != nullptr && value->as_integer(mode) && mode == 2 ? Value(true) : Value();
  } else if (const broker::Value* const headers = table_->find("headers")) {
    const auto* const fields = std::get_if<broker::Table>(&headers->v);
    value = fields == nullptr ? nullptr : fields->find(name);
  }
  return value == nullptr ? Value() : std::visit(AsSelectorValue{}, value->v);
}

}  // namespace weir::stomp
