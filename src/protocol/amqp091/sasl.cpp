#include "protocol/amqp091/sasl.h"

#include <algorithm>
#include <charconv>

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

// Up to the next ',' or '+' that is not escaped.
std::string_view take_name_part(std::string_view& rest) {
  std::size_t end = 0;
  while (end < rest.size() && rest[end] != ',' && rest[end] != '+') end += rest[end] == '\\' ? 2 : 1;
  end = std::min(end, rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

// A backslash stands before a character that means something, or before two digits of a byte.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      plain += text[at];
      continue;
    }
    unsigned byte = 0;
    const char* const digits = text.data() + at + 1;
    const bool hex = at + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
    plain += hex ? static_cast<char>(byte) : text[at + 1];
    at += hex ? 2 : 1;
  }
  return plain;
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

std::string user_of_certificate(CertificateLogin by, std::string_view subject) {
  if (by == CertificateLogin::distinguished_name) return std::string(subject);
  std::string names;
  while (!subject.empty()) {
    const std::string_view part = take_name_part(subject);
    if (!part.starts_with("CN=")) continue;
    if (!names.empty()) names += ',';
    names += unescaped(part.substr(3));
  }
  return names;
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
