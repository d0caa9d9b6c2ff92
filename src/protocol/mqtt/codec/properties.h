// What it is: the properties of MQTT 5.0 (2.2.2) as values, one struct for each packet, with views into the bytes that they
// were decoded from.
// Errors, as the specification has them: an unknown property, one that does not belong into the packet, or bytes that don't
// hold are a malformed packet; one that comes twice, or has a value that it may not have, is a protocol error.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "protocol/mqtt/codec/decoded.h"
#include "protocol/mqtt/codec/input.h"

namespace weir::mqtt {

enum class PropertyId : std::uint8_t {
  payload_format_indicator = 1,
  message_expiry_interval = 2,
  content_type = 3,
  response_topic = 8,
  correlation_data = 9,
  subscription_identifier = 11,
  session_expiry_interval = 17,
  assigned_client_identifier = 18,
  server_keep_alive = 19,
  authentication_method = 21,
  authentication_data = 22,
  request_problem_information = 23,
  will_delay_interval = 24,
  request_response_information = 25,
  response_information = 26,
  server_reference = 28,
  reason_string = 31,
  receive_maximum = 33,
  topic_alias_maximum = 34,
  topic_alias = 35,
  maximum_qos = 36,
  retain_available = 37,
  user_property = 38,
  maximum_packet_size = 39,
  wildcard_subscription_available = 40,
  subscription_identifier_available = 41,
  shared_subscription_available = 42,
};

inline constexpr std::uint32_t subscription_identifier_max = 268'435'455;
inline constexpr std::uint32_t never_expires_s = 0xFFFF'FFFFU;  // of a session

struct UserProperty {
  std::string_view name, value;
  bool operator==(const UserProperty&) const = default;
};

// The user properties among checked raw properties, in their order: `for (const UserProperty& property : all)`. Made to be
// written, too: from raw bytes that append_user_property() has made.
class UserProperties {
 public:
  class Iterator {
   public:
    explicit Iterator(Bytes left) : left_(left) { advance(); }
    const UserProperty& operator*() const { return at_; }
    const UserProperty* operator->() const { return &at_; }
    Iterator& operator++() {
      advance();
      return *this;
    }
    bool operator==(std::nullptr_t) const { return ended_; }

   private:
    void advance();
    Bytes left_;
    UserProperty at_;
    bool ended_ = false;
  };

  UserProperties() = default;
  explicit UserProperties(Bytes raw) : raw_(raw) {}
  Iterator begin() const { return Iterator(raw_); }
  std::nullptr_t end() const { return nullptr; }
  bool empty() const { return raw_.empty(); }
  // From the first to the last; others may lie between.
  Bytes raw() const { return raw_; }

 private:
  Bytes raw_;
};

// Both at most 65,535 bytes of UTF-8: the lengths are asserted.
void append_user_property(std::vector<std::byte>& raw, std::string_view name, std::string_view value);

// The subscription identifiers among checked raw properties.
class SubscriptionIds {
 public:
  SubscriptionIds() = default;
  explicit SubscriptionIds(Bytes raw) : raw_(raw) {}
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (Bytes left = raw_; const std::uint32_t id = next(left);) visit(id);
  }

 private:
  static std::uint32_t next(Bytes& left);  // 0: no more
  Bytes raw_;
};

struct ConnectProperties {
  std::uint32_t session_expiry_s = 0;
  std::uint16_t receive_maximum = 65'535;
  std::uint32_t maximum_packet_bytes = 0;  // 0: no limit
  std::uint16_t topic_alias_maximum = 0;
  bool request_response_information = false;
  bool request_problem_information = true;
  std::optional<std::string_view> authentication_method{};
  std::optional<Bytes> authentication_data{};
  UserProperties user{};
};

struct ConnackProperties {
  std::optional<std::uint32_t> session_expiry_s{};
  std::optional<std::uint16_t> receive_maximum{};
  std::optional<std::uint8_t> maximum_qos{};
  std::optional<bool> retain_available{};
  std::optional<std::uint32_t> maximum_packet_bytes{};
  std::optional<std::string_view> assigned_client_id{};
  std::optional<std::uint16_t> topic_alias_maximum{};
  std::optional<std::string_view> reason_string{};
  std::optional<bool> wildcard_subscriptions{};
  std::optional<bool> subscription_identifiers{};
  std::optional<bool> shared_subscriptions{};
  std::optional<std::uint16_t> server_keep_alive_s{};
  std::optional<std::string_view> response_information{};
  std::optional<std::string_view> server_reference{};
  std::optional<std::string_view> authentication_method{};
  std::optional<Bytes> authentication_data{};
  UserProperties user{};
};

// Of a PUBLISH, and of a will.
struct PublishProperties {
  std::optional<std::uint8_t> payload_format{};  // 1: UTF-8; the payload is not checked for it
  std::optional<std::uint32_t> message_expiry_s{};
  std::optional<std::string_view> content_type{};
  std::optional<std::string_view> response_topic{};  // a valid topic name
  std::optional<Bytes> correlation_data{};
  std::uint16_t topic_alias = 0;   // PUBLISH; 0: none
  std::uint32_t will_delay_s = 0;  // will
  UserProperties user{};
};

// PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK.
struct AckProperties {
  std::optional<std::string_view> reason_string{};
  UserProperties user{};
};

struct SubscribeProperties {
  std::uint32_t subscription_id = 0;  // 0: none
  UserProperties user{};
};

struct UnsubscribeProperties {
  UserProperties user{};
};

struct DisconnectProperties {
  std::optional<std::uint32_t> session_expiry_s{};  // from a client only
  std::optional<std::string_view> reason_string{};
  std::optional<std::string_view> server_reference{};
  UserProperties user{};
};

struct AuthProperties {
  std::optional<std::string_view> authentication_method{};
  std::optional<Bytes> authentication_data{};
  std::optional<std::string_view> reason_string{};
  UserProperties user{};
};

// Each takes the length and the properties off the input.
Decoded<ConnectProperties> decode_connect_properties(Input& input);
Decoded<ConnackProperties> decode_connack_properties(Input& input);
Decoded<PublishProperties> decode_will_properties(Input& input);
Decoded<PublishProperties> decode_publish_properties(Input& input);
// Those that a server sends may have subscription identifiers.
Decoded<PublishProperties> decode_publish_properties(Input& input, SubscriptionIds& ids);
Decoded<AckProperties> decode_ack_properties(Input& input);
Decoded<SubscribeProperties> decode_subscribe_properties(Input& input);
Decoded<UnsubscribeProperties> decode_unsubscribe_properties(Input& input);
Decoded<DisconnectProperties> decode_disconnect_properties(Input& input, Sender sender);
Decoded<AuthProperties> decode_auth_properties(Input& input);

}  // namespace weir::mqtt
