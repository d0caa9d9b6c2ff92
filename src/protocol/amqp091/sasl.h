// What it is: the SASL mechanisms that connection.start offers: how a name and a password are carried.
//
//   PLAIN     [authorization id] NUL user NUL password       (RFC 4616; the id is empty or the user)
//   AMQPLAIN  a field table without its length: LOGIN and PASSWORD, both text
//
// Passwords are checked by the broker (BrokerClient::authenticate).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::amqp091 {

enum class SaslMechanism : std::uint8_t { plain, amqplain };

inline constexpr std::string_view sasl_mechanisms_offered = "PLAIN AMQPLAIN";

// nullopt: not one that we offer.
std::optional<SaslMechanism> find_sasl_mechanism(std::string_view name);

struct SaslLogin {
  std::string user;
  std::string password;
};

// nullopt: the response is not of the mechanism's form.
std::optional<SaslLogin> decode_sasl_response(SaslMechanism mechanism, std::string_view response);

}  // namespace weir::amqp091
