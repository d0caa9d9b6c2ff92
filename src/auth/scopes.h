// What it is: what a token's claims allow: scopes in the form of RabbitMQ's OAuth 2 backend, after their prefix:
//   read:VHOST/NAME   write:VHOST/NAME/ROUTING-KEY   configure:…   with patterns (broker::Wildcard)   tag:administrator
// Other scopes are of no interest here. Pure.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "broker/grants.h"

namespace weir::auth {

inline constexpr std::size_t scopes_max = 2'048;

struct ScopeSettings {
  std::string resource_server_id;
  std::string prefix;           // of the scopes that count
  std::string additional_keys;  // further claims with scopes, separated by spaces; a path has points
};

struct Allowed {
  std::vector<broker::Grant> grants;
  std::vector<std::string> tags;
};

// access_refused: more than scopes_max.
Result<Allowed> read_scopes(const boost::json::object& claims, const ScopeSettings& settings);

}  // namespace weir::auth
