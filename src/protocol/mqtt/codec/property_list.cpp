#include "protocol/mqtt/codec/property_list.h"

#include "protocol/mqtt/codec/topic.h"

namespace weir::mqtt {

namespace {

using enum PropertyId;

enum class Form : std::uint8_t { unknown, byte, two_bytes, four_bytes, varint, text, binary, pair };

constexpr Form form_of(PropertyId id) {
  switch (id) {
    case payload_format_indicator:
    case request_problem_information:
    case request_response_information:
    case maximum_qos:
    case retain_available:
    case wildcard_subscription_available:
    case subscription_identifier_available:
    case shared_subscription_available: return Form::byte;
    case server_keep_alive:
    case receive_maximum:
    case topic_alias_maximum:
    case topic_alias: return Form::two_bytes;
    case message_expiry_interval:
    case session_expiry_interval:
    case will_delay_interval:
    case maximum_packet_size: return Form::four_bytes;
    case subscription_identifier: return Form::varint;
    case content_type:
    case response_topic:
    case assigned_client_identifier:
    case authentication_method:
    case response_information:
    case server_reference:
    case reason_string: return Form::text;
    case correlation_data:
    case authentication_data: return Form::binary;
    case user_property: return Form::pair;
  }
  return Form::unknown;
}

}  // namespace

bool take_property(Input& input, bool check_texts, Property& property) {
  // The identifier is a variable byte integer too, but all that there are take one byte.
  property.id = static_cast<PropertyId>(input.u8());
  const auto text = [&] { return check_texts ? input.text() : input.unchecked_text(); };
  switch (form_of(property.id)) {
    case Form::unknown: return false;
    case Form::byte: property.number = input.u8(); break;
    case Form::two_bytes: property.number = input.u16(); break;
    case Form::four_bytes: property.number = input.u32(); break;
    case Form::varint: property.number = input.varint(); break;
    case Form::text: property.data = as_bytes(text()); break;
    case Form::binary: property.data = input.binary(); break;
    case Form::pair:
      property.data = as_bytes(text());
      property.value = text();
      break;
  }
  return input.ok();
}

WireError fault_of_value(const Property& property) {
  switch (property.id) {
    case payload_format_indicator:
    case request_problem_information:
    case request_response_information:
    case maximum_qos:
    case retain_available:
    case wildcard_subscription_available:
    case subscription_identifier_available:
    case shared_subscription_available:
      if (property.number > 1) return {ReasonCode::protocol_error, "a property that is neither 0 nor 1"};
      break;
    case subscription_identifier:
      if (property.number == 0) return {ReasonCode::protocol_error, "a subscription identifier of 0"};
      break;
    case receive_maximum:
      if (property.number == 0) return {ReasonCode::protocol_error, "a receive maximum of 0"};
      break;
    case maximum_packet_size:
      if (property.number == 0) return {ReasonCode::protocol_error, "a maximum packet size of 0"};
      break;
    case topic_alias:
      if (property.number == 0) return {ReasonCode::topic_alias_invalid, "a topic alias of 0"};
      break;
    case response_topic:
      if (!is_topic_name(property.text())) {
        return {ReasonCode::protocol_error, "a response topic that is empty or has wildcards"};
      }
      break;
    default: break;
  }
  return {ReasonCode::success, {}};
}

}  // namespace weir::mqtt
