// What it is: which user a client's certificate stands for, where that is all it logs in with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

enum class CertificateLogin : std::uint8_t { distinguished_name, common_name };
// `subject` in the form of RFC 2253. Several common names are joined by commas; empty: there is none.
std::string user_of_certificate(CertificateLogin by, std::string_view subject);

}  // namespace weir
