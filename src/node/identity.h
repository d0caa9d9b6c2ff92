// What it is: who somebody turned out to be, and who can tell by an access token.
// Shard: identities are values; a TokenAuthority is used by all shards at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "broker/grants.h"

namespace weir::node {

struct Identity {
  std::string user;
  std::vector<std::string> tags;
  std::shared_ptr<const broker::Grants> grants{};  // null: what the definitions say of the user counts
  std::uint64_t expires_ms = 0;                    // Unix; 0: never
};

// The broker itself, where it uses what it serves: it may do everything.
Identity identity_of_broker();

class TokenAuthority {
 public:
  virtual ~TokenAuthority() = default;
  // Without waiting. access_refused, with a reason for the log that tells nothing of the token's own text.
  virtual Result<Identity> check(std::string_view token, std::uint64_t wall_ms) const = 0;
};

// Where users come from. A login is right if it is right for one of them; they are asked in order.
enum class AuthBackend : std::uint8_t { internal, token };

struct AuthOptions {
  std::vector<AuthBackend> backends{AuthBackend::internal};
  const TokenAuthority* tokens = nullptr;  // outlives the node; not null where AuthBackend::token is named
  std::vector<std::string> loopback_users{"guest"};
};

}  // namespace weir::node
