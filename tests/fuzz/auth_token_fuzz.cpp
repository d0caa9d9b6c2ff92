// Any text is an access token, a set of keys and claims, or none of them; and no text is a token that somebody has signed.
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/oauth2.h"
#include "base/assert.h"

namespace {

using weir::auth::KeySet;
using weir::auth::ScopeSettings;

const ScopeSettings scopes{"rabbitmq", "rabbitmq.", "roles realm.access permissions.scopes"};

void read_claims(const boost::json::object& claims) {
  const auto allowed = weir::auth::read_scopes(claims, scopes);
  if (!allowed) return;
  WEIR_ASSERT(allowed->grants.size() + allowed->tags.size() <= weir::auth::scopes_max);
  const weir::broker::Grants grants(allowed->grants);
  const bool any = grants.allows("v", weir::broker::Access::read, "q");
  WEIR_ASSERT(!any || grants.allows_vhost("v"));
}

const weir::auth::Oauth2& broker() {
  static weir::auth::Oauth2* const made = [] {
    weir::auth::Oauth2Settings settings;
    settings.scopes = scopes;
    settings.algorithms = {weir::runtime::SignatureAlgorithm::hs256};
    auto* const with_key = new weir::auth::Oauth2(settings);
    WEIR_ASSERT(
        with_key
            ->use_keys(R"({"keys":[{"kty":"oct","k":"c2hhcmVkIHNlY3JldCBvZiB0aGlydHktdHdvIGJ5dGVzISE"}]})")
            .has_value());
    return with_key;
  }();
  return *made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto token = weir::auth::parse_token(text)) {
    WEIR_ASSERT(text.starts_with(token->signed_text) && !token->signature.empty());
    WEIR_ASSERT(!token->algorithm.empty() && token->key_id.size() <= weir::auth::key_id_bytes_max);
    read_claims(token->claims);
  } else {
    WEIR_ASSERT(token.error().code == weir::ErrorCode::access_refused && !token.error().message.empty());
  }
  if (const auto claims = weir::auth::parse_json_object(text)) read_claims(*claims);
  const auto keys = KeySet::parse(text);
  WEIR_ASSERT(keys ? keys->size() > 0 : !keys.error().message.empty());
  WEIR_ASSERT(!broker().check(text, 1).has_value());
  return 0;
}
