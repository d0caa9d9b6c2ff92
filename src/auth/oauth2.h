// What it is: logins with access tokens (OAuth 2, JWT): who somebody is and what they may do stands in the token, and is
// true since whoever gave it out has signed it. What counts is as in RabbitMQ's OAuth 2 backend.
// Shard: any. use_keys() replaces the keys for checks that begin after it.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/key_set.h"
#include "auth/scopes.h"
#include "node/identity.h"
#include "runtime/signature_key.h"

namespace weir::auth {

struct Oauth2Settings {
  ScopeSettings scopes;
  std::string issuer;           // that a token must name; empty: any
  bool verify_audience = true;  // a token must be meant for the resource server
  std::vector<std::string> username_claims;
  std::vector<runtime::SignatureAlgorithm> algorithms;
  std::uint64_t leeway_ms = 0;  // that clocks may be apart
};

class Oauth2 final : public node::TokenAuthority {
 public:
  explicit Oauth2(Oauth2Settings settings) : settings_(std::move(settings)) {}

  // config: as KeySet::parse; the old ones stay.
  Status use_keys(std::string_view key_set);
  Result<node::Identity> check(std::string_view token, std::uint64_t wall_ms) const override;

 private:
  Status check_signature(const Token& token) const;
  Status check_audience(const boost::json::object& claims) const;
  std::string user_of(const boost::json::object& claims) const;

  const Oauth2Settings settings_;
  mutable std::mutex mutex_;
  std::shared_ptr<const KeySet> keys_;
};

}  // namespace weir::auth
