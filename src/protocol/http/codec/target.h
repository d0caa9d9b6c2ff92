// What it is: what a request asks for, taken apart: the path's segments and the query's parameters, percent-decoded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http {

struct Parameter {
  std::string name, value;
};

struct Target {
  // "/a/b%2Fc" is "a" and "b/c". Dot segments are resolved before decoding (RFC 3986 5.2.4): "%2E%2E" is a name. An
  // empty last one, of a trailing slash, is left out.
  std::vector<std::string> path;
  std::vector<Parameter> query;  // in order

  const std::string* parameter(std::string_view name) const;
};

// Origin form, or absolute form. nullopt: it is neither, or there is an escape that is none.
std::optional<Target> parse_target(std::string_view target);

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
// All but letters, digits, "-", ".", "_" and "~".
std::string percent_encode(std::string_view text);

}  // namespace weir::http
