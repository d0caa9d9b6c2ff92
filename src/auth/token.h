// What it is: an access token taken apart: a JWT in the compact form of RFC 7515, as text from anybody. Nothing of it is
// true before its signature was verified.
// Errors: access_refused; the words tell nothing of the token's contents.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::auth {

inline constexpr std::size_t token_bytes_max = 64U << 10;
inline constexpr std::size_t key_id_bytes_max = 256;

struct Token {
  std::string algorithm;  // as it claims
  std::string key_id;     // empty: it names none
  boost::json::object claims;
  std::string_view signed_text;  // into the text that it was parsed from
  std::vector<std::byte> signature;
};

Result<Token> parse_token(std::string_view text);

// Of text from anybody: one object, no deeper than is sensible, nothing behind it. nullopt: it is not that.
std::optional<boost::json::object> parse_json_object(std::string_view text);
// The text of this member; empty: there is none, or it is something else.
std::string_view text_member(const boost::json::object& of, std::string_view name);

}  // namespace weir::auth
