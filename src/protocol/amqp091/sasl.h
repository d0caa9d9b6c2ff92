// What it is: the SASL mechanisms that connection.start offers: how a name and a password are carried, or that there is no
// password, since a certificate has told who it is.
//
//   PLAIN     [authorization id] NUL user NUL password       (RFC 4616; the id is empty or the user)
//   AMQPLAIN  a field table without its length: LOGIN and PASSWORD, both text
//   EXTERNAL  nothing: offered to clients whose certificate was verified
//
// Passwords are checked by the broker (BrokerClient::authenticate).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::amqp091 {

enum class SaslMechanism : std::uint8_t { plain, amqplain, external };
std::string_view text_of(SaslMechanism mechanism);

// `certified`: to a client whose certificate was verified.
std::string_view sasl_mechanisms_offered(bool certified);
// nullopt: not one that we offer.
std::optional<SaslMechanism> find_sasl_mechanism(std::string_view name, bool certified);

struct SaslLogin {
  std::string user;
  std::string password;
};

// Of PLAIN and AMQPLAIN. nullopt: the response is not of the mechanism's form.
std::optional<SaslLogin> decode_sasl_response(SaslMechanism mechanism, std::string_view response);

}  // namespace weir::amqp091
