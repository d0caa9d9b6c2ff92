#include "auth/oauth2.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "auth/token.h"
#include "base/limits.h"

namespace weir::auth {

namespace json = boost::json;

namespace {

// Seconds since 1970 beyond this are no time that anybody means.
constexpr double seconds_max = 1e11;
constexpr std::string_view nobody = "unknown";

std::unexpected<Error> refused(const char* why) { return fail(ErrorCode::access_refused, why); }

// nullopt: not a time.
std::optional<std::uint64_t> time_ms(const json::value& seconds) {
  boost::system::error_code error;
  const auto number = seconds.to_number<double>(error);
  if (error || !(number >= 0 && number <= seconds_max)) return std::nullopt;
  return static_cast<std::uint64_t>(std::trunc(number)) * 1'000;
}

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

}  // namespace

Status Oauth2::use_keys(std::string_view key_set) {
  Result<KeySet> keys = KeySet::parse(key_set);
  if (!keys) return std::unexpected(std::move(keys).error());
  const std::lock_guard guard(mutex_);
  keys_ = std::make_shared<const KeySet>(std::move(*keys));
  return {};
}

// Which algorithms are taken is for the settings to say, and which key takes which for the key.
Status Oauth2::check_signature(const Token& token) const {
  const auto algorithm = runtime::signature_algorithm(token.algorithm);
  const auto& taken = settings_.algorithms;
  if (!algorithm || std::find(taken.begin(), taken.end(), *algorithm) == taken.end())
    return refused("the token is signed by an algorithm that is not taken");
  std::shared_ptr<const KeySet> keys;
  {
    const std::lock_guard guard(mutex_);
    keys = keys_;
  }
  if (keys == nullptr) return refused("there are no keys to verify tokens with");
  return keys->verify(token, *algorithm);
}

Status Oauth2::check_audience(const json::object& claims) const {
  if (!settings_.verify_audience) return {};
  const std::string& id = settings_.scopes.resource_server_id;
  const json::value* const audience = claims.if_contains("aud");
  if (audience != nullptr && audience->is_array()) {
    for (const json::value& one : audience->get_array()) {
      if (one.is_string() && one.get_string() == id) return {};
    }
  } else if (has_word(text_member(claims, "aud"), id)) {
    return {};
  }
  return refused("the token is meant for another audience");
}

std::string Oauth2::user_of(const json::object& claims) const {
  const auto named_by = [&](std::string_view claim) {
    const std::string_view name = text_member(claims, claim);
    return name.size() <= limits::name_bytes_max ? name : std::string_view();
  };
  for (const std::string& claim : settings_.username_claims) {
    if (const auto name = named_by(claim); !name.empty()) return std::string(name);
  }
  for (const char* const claim : {"sub", "client_id"}) {
    if (const auto name = named_by(claim); !name.empty()) return std::string(name);
  }
  return std::string(nobody);
}

Result<node::Identity> Oauth2::check(std::string_view text, std::uint64_t wall_ms) const {
  const Result<Token> token = parse_token(text);
  if (!token) return std::unexpected(token.error());
  WEIR_TRY(check_signature(*token));
  const json::object& claims = token->claims;
  const json::value* const ends = claims.if_contains("exp");
  const json::value* const begins = claims.if_contains("nbf");
  const auto ends_ms = ends == nullptr ? std::nullopt : time_ms(*ends);
  if (!ends_ms) return refused("the token does not say when it expires");
  const std::uint64_t expires_ms = *ends_ms + settings_.leeway_ms;
  if (expires_ms <= wall_ms) return refused("the token has expired");
  if (begins != nullptr) {
    const auto begins_ms = time_ms(*begins);
    if (!begins_ms || *begins_ms > wall_ms + settings_.leeway_ms)
      return refused("the token is not valid yet");
  }
  if (!settings_.issuer.empty() && text_member(claims, "iss") != settings_.issuer)
    return refused("the token is of another issuer");
  WEIR_TRY(check_audience(claims));
  Result<Allowed> allowed = read_scopes(claims, settings_.scopes);
  if (!allowed) return std::unexpected(std::move(allowed).error());
  return node::Identity{user_of(claims), std::move(allowed->tags),
                        std::make_shared<const broker::Grants>(std::move(allowed->grants)), expires_ms};
}

}  // namespace weir::auth
