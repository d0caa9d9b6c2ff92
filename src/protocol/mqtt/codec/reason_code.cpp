#include "protocol/mqtt/codec/reason_code.h"

#include <algorithm>
#include <span>

namespace weir::mqtt {

namespace {

using enum ReasonCode;

constexpr ReasonCode of_connack[] = {success,
                                     unspecified_error,
                                     malformed_packet,
                                     protocol_error,
                                     implementation_specific_error,
                                     unsupported_protocol_version,
                                     client_identifier_not_valid,
                                     bad_user_name_or_password,
                                     not_authorized,
                                     server_unavailable,
                                     server_busy,
                                     banned,
                                     bad_authentication_method,
                                     topic_name_invalid,
                                     packet_too_large,
                                     quota_exceeded,
                                     payload_format_invalid,
                                     retain_not_supported,
                                     qos_not_supported,
                                     use_another_server,
                                     server_moved,
                                     connection_rate_exceeded};
constexpr ReasonCode of_puback[] = {success,
                                    no_matching_subscribers,
                                    unspecified_error,
                                    implementation_specific_error,
                                    not_authorized,
                                    topic_name_invalid,
                                    packet_identifier_in_use,
                                    quota_exceeded,
                                    payload_format_invalid};
constexpr ReasonCode of_pubrel[] = {success, packet_identifier_not_found};
constexpr ReasonCode of_suback[] = {success,
                                    granted_qos_1,
                                    granted_qos_2,
                                    unspecified_error,
                                    implementation_specific_error,
                                    not_authorized,
                                    topic_filter_invalid,
                                    packet_identifier_in_use,
                                    quota_exceeded,
                                    shared_subscriptions_not_supported,
                                    subscription_identifiers_not_supported,
                                    wildcard_subscriptions_not_supported};
constexpr ReasonCode of_unsuback[] = {success,
                                      no_subscription_existed,
                                      unspecified_error,
                                      not_authorized,
                                      implementation_specific_error,
                                      topic_filter_invalid,
                                      packet_identifier_in_use};
constexpr ReasonCode of_clients_disconnect[] = {success,
                                                disconnect_with_will_message,
                                                unspecified_error,
                                                malformed_packet,
                                                protocol_error,
                                                implementation_specific_error,
                                                topic_name_invalid,
                                                receive_maximum_exceeded,
                                                topic_alias_invalid,
                                                packet_too_large,
                                                message_rate_too_high,
                                                quota_exceeded,
                                                administrative_action,
                                                payload_format_invalid};
constexpr ReasonCode of_servers_disconnect[] = {success,
                                                unspecified_error,
                                                malformed_packet,
                                                protocol_error,
                                                implementation_specific_error,
                                                not_authorized,
                                                server_busy,
                                                server_shutting_down,
                                                keep_alive_timeout,
                                                session_taken_over,
                                                topic_filter_invalid,
                                                topic_name_invalid,
                                                receive_maximum_exceeded,
                                                topic_alias_invalid,
                                                packet_too_large,
                                                message_rate_too_high,
                                                quota_exceeded,
                                                administrative_action,
                                                payload_format_invalid,
                                                retain_not_supported,
                                                qos_not_supported,
                                                use_another_server,
                                                server_moved,
                                                shared_subscriptions_not_supported,
                                                connection_rate_exceeded,
                                                maximum_connect_time,
                                                subscription_identifiers_not_supported,
                                                wildcard_subscriptions_not_supported};
constexpr ReasonCode of_clients_auth[] = {continue_authentication, re_authenticate};
constexpr ReasonCode of_servers_auth[] = {success, continue_authentication};

std::span<const ReasonCode> codes_of(PacketType type, Sender sender) {
  const bool client = sender == Sender::client;
  switch (type) {
    case PacketType::connack: return of_connack;
    case PacketType::puback:
    case PacketType::pubrec: return of_puback;
    case PacketType::pubrel:
    case PacketType::pubcomp: return of_pubrel;
    case PacketType::suback: return of_suback;
    case PacketType::unsuback: return of_unsuback;
    case PacketType::disconnect:
      return client ? std::span<const ReasonCode>(of_clients_disconnect) : of_servers_disconnect;
    case PacketType::auth: return client ? std::span<const ReasonCode>(of_clients_auth) : of_servers_auth;
    default: return {};
  }
}

}  // namespace

std::string_view to_string(ReasonCode code) {
  switch (code) {
    case success: return "Success";
    case granted_qos_1: return "Granted QoS 1";
    case granted_qos_2: return "Granted QoS 2";
    case disconnect_with_will_message: return "Disconnect with Will Message";
    case no_matching_subscribers: return "No matching subscribers";
    case no_subscription_existed: return "No subscription existed";
    case continue_authentication: return "Continue authentication";
    case re_authenticate: return "Re-authenticate";
    case unspecified_error: return "Unspecified error";
    case malformed_packet: return "Malformed Packet";
    case protocol_error: return "Protocol Error";
    case implementation_specific_error: return "Implementation specific error";
    case unsupported_protocol_version: return "Unsupported Protocol Version";
    case client_identifier_not_valid: return "Client Identifier not valid";
    case bad_user_name_or_password: return "Bad User Name or Password";
    case not_authorized: return "Not authorized";
    case server_unavailable: return "Server unavailable";
    case server_busy: return "Server busy";
    case banned: return "Banned";
    case server_shutting_down: return "Server shutting down";
    case bad_authentication_method: return "Bad authentication method";
    case keep_alive_timeout: return "Keep Alive timeout";
    case session_taken_over: return "Session taken over";
    case topic_filter_invalid: return "Topic Filter invalid";
    case topic_name_invalid: return "Topic Name invalid";
    case packet_identifier_in_use: return "Packet Identifier in use";
    case packet_identifier_not_found: return "Packet Identifier not found";
    case receive_maximum_exceeded: return "Receive Maximum exceeded";
    case topic_alias_invalid: return "Topic Alias invalid";
    case packet_too_large: return "Packet too large";
    case message_rate_too_high: return "Message rate too high";
    case quota_exceeded: return "Quota exceeded";
    case administrative_action: return "Administrative action";
    case payload_format_invalid: return "Payload format invalid";
    case retain_not_supported: return "Retain not supported";
    case qos_not_supported: return "QoS not supported";
    case use_another_server: return "Use another server";
    case server_moved: return "Server moved";
    case shared_subscriptions_not_supported: return "Shared Subscriptions not supported";
    case connection_rate_exceeded: return "Connection rate exceeded";
    case maximum_connect_time: return "Maximum connect time";
    case subscription_identifiers_not_supported: return "Subscription Identifiers not supported";
    case wildcard_subscriptions_not_supported: return "Wildcard Subscriptions not supported";
  }
  return "unknown";
}

bool may_carry(PacketType type, ReasonCode code, Sender sender) {
  const std::span<const ReasonCode> codes = codes_of(type, sender);
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

ConnectReturnCode connect_return_code_of(ReasonCode code) {
  switch (code) {
    case success: return ConnectReturnCode::accepted;
    case unsupported_protocol_version: return ConnectReturnCode::unacceptable_protocol_version;
    case client_identifier_not_valid: return ConnectReturnCode::identifier_rejected;
    case bad_user_name_or_password:
    case bad_authentication_method: return ConnectReturnCode::bad_user_name_or_password;
    case not_authorized:
    case banned: return ConnectReturnCode::not_authorized;
    default: return ConnectReturnCode::server_unavailable;
  }
}

ReasonCode reason_code_of(ConnectReturnCode code) {
  switch (code) {
    case ConnectReturnCode::accepted: return success;
    case ConnectReturnCode::unacceptable_protocol_version: return unsupported_protocol_version;
    case ConnectReturnCode::identifier_rejected: return client_identifier_not_valid;
    case ConnectReturnCode::server_unavailable: return server_unavailable;
    case ConnectReturnCode::bad_user_name_or_password: return bad_user_name_or_password;
    case ConnectReturnCode::not_authorized: return not_authorized;
  }
  return unspecified_error;
}

}  // namespace weir::mqtt
