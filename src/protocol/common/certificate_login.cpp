#include "protocol/common/certificate_login.h"

#include <algorithm>
#include <charconv>

namespace weir {
namespace {

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

}  // namespace weir
