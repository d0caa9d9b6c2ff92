#include "auth/key_set.h"

#include <fmt/format.h>

#include <utility>

#include "auth/base64url.h"

namespace weir::auth {

namespace json = boost::json;
using runtime::SignatureAlgorithm;
using runtime::SignatureKey;

namespace {

std::vector<std::byte> bytes_member(const json::object& of, std::string_view name) {
  return decode_base64url(text_member(of, name)).value_or(std::vector<std::byte>());
}

// nullopt: of a kind that is not known here.
std::optional<SignatureKey::Made> make_key(const json::object& from) {
  const std::string_view kind = text_member(from, "kty");
  if (kind == "RSA") return SignatureKey::rsa(bytes_member(from, "n"), bytes_member(from, "e"));
  if (kind == "oct") return SignatureKey::secret(bytes_member(from, "k"));
  if (kind != "EC") return std::nullopt;
  const std::string_view curve = text_member(from, "crv");
  if (curve != "P-256" && curve != "P-384") return std::nullopt;
  return SignatureKey::elliptic(curve == "P-256" ? SignatureKey::Curve::p256 : SignatureKey::Curve::p384,
                                bytes_member(from, "x"), bytes_member(from, "y"));
}

std::unexpected<Error> no_keys(std::string why) { return fail(ErrorCode::config, std::move(why)); }

}  // namespace

Result<KeySet> KeySet::parse(std::string_view text) {
  if (text.size() > key_set_bytes_max)
    return no_keys(fmt::format("a key set may have {} bytes", key_set_bytes_max));
  const auto set = parse_json_object(text);
  const json::value* const keys = set ? set->if_contains("keys") : nullptr;
  if (keys == nullptr || !keys->is_array()) return no_keys("not a JSON Web Key Set");
  if (keys->get_array().size() > keys_max)
    return no_keys(fmt::format("a key set may have {} keys", keys_max));
  KeySet made;
  for (const json::value& one : keys->get_array()) {
    if (!one.is_object()) return no_keys("a key is a JSON object");
    const json::object& from = one.get_object();
    Key key;
    key.id = text_member(from, "kid");
    const std::string_view use = text_member(from, "use"), name = text_member(from, "alg");
    if (!name.empty()) key.algorithm = runtime::signature_algorithm(name);
    if ((!use.empty() && use != "sig") || (!name.empty() && !key.algorithm)) continue;
    auto kind = make_key(from);
    if (!kind) continue;
    if (!*kind) return no_keys(fmt::format("key '{}': {}", key.id, kind->error().message));
    key.key = std::move(**kind);
    made.keys_.push_back(std::move(key));
  }
  if (made.keys_.empty()) return no_keys("there is no key for signatures in it");
  return made;
}

Status KeySet::verify(const Token& token, SignatureAlgorithm algorithm) const {
  const Key* by = nullptr;
  for (const Key& key : keys_) {
    if (!key.key->fits(algorithm) || (key.algorithm && *key.algorithm != algorithm)) continue;
    if (!token.key_id.empty() && key.id != token.key_id) continue;
    if (by != nullptr) return fail(ErrorCode::access_refused, "several keys could have signed the token");
    by = &key;
  }
  if (by == nullptr)
    return fail(ErrorCode::access_refused, "there is no key that could have signed the token");
  const Bytes text = as_bytes(token.signed_text);
  if (!by->key->verifies(algorithm, text, token.signature))
    return fail(ErrorCode::access_refused, "the token's signature is not right");
  return {};
}

}  // namespace weir::auth
