#include "protocol/amqp091/sasl.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "protocol/amqp091/codec/field_view.h"

namespace weir::amqp091 {

namespace {

std::optional<SaslLogin> decode_plain(std::string_view response) {
  const std::size_t first = response.find('\0');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = response.find('\0', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const std::string_view authorization = response.substr(0, first);
  const std::string_view user = response.substr(first + 1, second - first - 1);
  const std::string_view password = response.substr(second + 1);
  if (password.find('\0') != std::string_view::npos) return std::nullopt;
  if (!authorization.empty() && authorization != user) return std::nullopt;
  return SaslLogin{std::string(user), std::string(password)};
}

std::optional<SaslLogin> decode_amqplain(std::string_view response) {
  const Bytes content = as_bytes(response);
  if (!validate_table(content)) return std::nullopt;
  const auto user = find_in_table(content, "LOGIN");
  const auto password = find_in_table(content, "PASSWORD");
  if (!user || !password || !user->as_text() || !password->as_text()) return std::nullopt;
  return SaslLogin{std::string(*user->as_text()), std::string(*password->as_text())};
}

}  // namespace

std::string_view text_of(SaslMechanism mechanism) {
  switch (mechanism) {
    case SaslMechanism::plain: return "PLAIN";
    case SaslMechanism::amqplain: return "AMQPLAIN";
    case SaslMechanism::external: return "EXTERNAL";
  }
  WEIR_UNREACHABLE();
}

std::string_view sasl_mechanisms_offered(bool certified) {
  return certified ? "PLAIN AMQPLAIN EXTERNAL" : "PLAIN AMQPLAIN";
}

std::optional<SaslMechanism> find_sasl_mechanism(std::string_view name, bool certified) {
  if (name == "PLAIN") return SaslMechanism::plain;
  if (name == "AMQPLAIN") return SaslMechanism::amqplain;
  if (name == "EXTERNAL" && certified) return SaslMechanism::external;
  return std::nullopt;
}

std::optional<SaslLogin> decode_sasl_response(SaslMechanism mechanism, std::string_view response) {
  switch (mechanism) {
    case SaslMechanism::plain: return decode_plain(response);
    case SaslMechanism::amqplain: return decode_amqplain(response);
    case SaslMechanism::external: return SaslLogin{};
  }
  WEIR_UNREACHABLE();
}

}  // namespace weir::amqp091
