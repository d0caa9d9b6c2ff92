// Access tokens: whose they are, what they allow, and why they are refused.
#include "auth/oauth2.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "auth/base64url.h"
#include "unit/auth/test_signer.h"

namespace weir::auth {
namespace {

using broker::Access;
using runtime::SignatureAlgorithm;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t now_ms = 1'700'000'000'000;

// Made once: an RSA key takes a while.
const TestSigner& rsa() {
  static const std::unique_ptr<TestSigner> signer = make_rsa_signer();
  return *signer;
}
const TestSigner& elliptic() {
  static const std::unique_ptr<TestSigner> signer = make_elliptic_signer("P-256");
  return *signer;
}

Oauth2Settings settings() {
  Oauth2Settings made;
  made.scopes = {"rabbitmq", "rabbitmq.", ""};
  made.algorithms = {SignatureAlgorithm::rs256, SignatureAlgorithm::rs384, SignatureAlgorithm::rs512,
                     SignatureAlgorithm::ps256, SignatureAlgorithm::es256, SignatureAlgorithm::es384};
  made.leeway_ms = 5'000;
  return made;
}

class AccessToken : public testing::Test {
 protected:
  // Of somebody who may do all there is; `more` is added, or stands in place of a member of the same name.
  static std::string claims(const std::string& more = {}) {
    // Of members of one name the last one counts.
    return R"({"sub":"ann","aud":["other","rabbitmq"],"exp":1700000060,"iss":"https://id.example",)"
           R"("scope":"rabbitmq.read:*/* rabbitmq.write:*/* rabbitmq.configure:*/* rabbitmq.tag:monitoring")" +
           (more.empty() ? more : "," + more) + "}";
  }
  static std::string token(const std::string& more = {}, const std::string& header = R"({"alg":"RS256"})") {
    return rsa().token(header, claims(more));
  }
  void use(Oauth2Settings with) { make(std::move(with), key_set({rsa().key("one")})); }
  void make(Oauth2Settings with, const std::string& keys) {
    oauth2 = std::make_unique<Oauth2>(std::move(with));
    const Status read = oauth2->use_keys(keys);
    ASSERT_TRUE(read.has_value()) << read.error().message;
  }
  // Empty: it is taken.
  std::string refusal(const std::string& text, std::uint64_t at_ms = now_ms) const {
    const auto identity = oauth2->check(text, at_ms);
    if (identity) return {};
    EXPECT_EQ(identity.error().code, ErrorCode::access_refused);
    return identity.error().message;
  }
  node::Identity identity(const std::string& text) const {
    auto found = oauth2->check(text, now_ms);
    EXPECT_TRUE(found.has_value()) << found.error().message;
    return found ? std::move(*found) : node::Identity();
  }

  std::unique_ptr<Oauth2> oauth2;
};

TEST_F(AccessToken, says_who_it_is_what_is_allowed_and_until_when) {
  use(settings());
  const node::Identity ann = identity(token());
  EXPECT_EQ(ann.user, "ann");
  EXPECT_THAT(ann.tags, ElementsAre("monitoring"));
  EXPECT_EQ(ann.expires_ms, 1'700'000'065'000U);
  ASSERT_NE(ann.grants, nullptr);
  EXPECT_TRUE(ann.grants->allows_vhost("anything"));
  EXPECT_TRUE(ann.grants->allows("/", Access::write, "x"));
}

TEST_F(AccessToken, is_verified_by_each_algorithm_that_is_named) {
  const auto p384 = make_elliptic_signer("P-384");
  make(settings(), key_set({rsa().key("r"), elliptic().key("e"), p384->key("f")}));
  for (const char* algorithm : {"RS256", "RS384", "RS512", "PS256"})
    EXPECT_EQ(refusal(token("", R"({"kid":"r","alg":")" + std::string(algorithm) + "\"}")), "") << algorithm;
  EXPECT_EQ(refusal(elliptic().token(R"({"alg":"ES256","kid":"e"})", claims())), "");
  EXPECT_EQ(refusal(p384->token(R"({"alg":"ES384","kid":"f"})", claims())), "");
  EXPECT_THAT(refusal(token("", R"({"alg":"PS512"})")), HasSubstr("an algorithm that is not taken"));
}

TEST_F(AccessToken, that_was_changed_is_refused) {
  use(settings());
  const std::string good = token();
  std::size_t refused = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    refused += oauth2->check(bad, now_ms) ? 0 : 1;
  }
  EXPECT_EQ(refused, good.size());
  EXPECT_EQ(refusal(rsa().token(R"({"alg":"RS256"})", claims()) + "AA"),
            "the token's signature is not right");
}

TEST_F(AccessToken, without_a_signature_is_refused_whatever_it_claims) {
  use(settings());
  const std::string body = base64url(as_bytes(claims()));
  for (const char* header : {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":""})", R"({})"}) {
    const std::string text = base64url(as_bytes(std::string_view(header))) + "." + body + ".";
    EXPECT_NE(refusal(text), "") << header;
    EXPECT_NE(refusal(text + "AAAA"), "") << header;
  }
}

// The public key is known to everybody: it must not do for a shared secret.
TEST_F(AccessToken, signed_with_the_public_key_as_a_secret_is_refused) {
  Oauth2Settings all = settings();
  all.algorithms.push_back(SignatureAlgorithm::hs256);
  make(std::move(all), key_set({rsa().key("one")}));
  const auto forger = make_secret_signer(rsa().key("one"));
  EXPECT_EQ(refusal(forger->token(R"({"alg":"HS256","kid":"one"})", claims())),
            "there is no key that could have signed the token");
}

TEST_F(AccessToken, by_a_shared_secret_counts_only_where_that_is_wanted) {
  const auto signer = make_secret_signer("thirty-two bytes, no less, are needed");
  const std::string text = signer->token(R"({"alg":"HS256"})", claims());
  make(settings(), key_set({signer->key("s")}));
  EXPECT_EQ(refusal(text), "the token is signed by an algorithm that is not taken");
  Oauth2Settings with = settings();
  with.algorithms.push_back(SignatureAlgorithm::hs256);
  make(std::move(with), key_set({signer->key("s")}));
  EXPECT_EQ(refusal(text), "");
}

TEST_F(AccessToken, is_verified_by_the_key_that_it_names) {
  const auto other = make_elliptic_signer("P-256");
  make(settings(), key_set({elliptic().key("a"), other->key("b"), other->key("c", R"("use":"enc")"),
                            other->key("d", R"("alg":"ES384")")}));
  EXPECT_EQ(refusal(elliptic().token(R"({"alg":"ES256","kid":"a"})", claims())), "");
  EXPECT_EQ(refusal(other->token(R"({"alg":"ES256","kid":"b"})", claims())), "");
  EXPECT_EQ(refusal(other->token(R"({"alg":"ES256","kid":"a"})", claims())),
            "the token's signature is not right");
  for (const char* kid : {"c", "d", "e"}) {
    EXPECT_EQ(refusal(other->token(R"({"alg":"ES256","kid":")" + std::string(kid) + "\"}", claims())),
              "there is no key that could have signed the token");
  }
  EXPECT_EQ(refusal(other->token(R"({"alg":"ES256"})", claims())),
            "several keys could have signed the token");
}

TEST_F(AccessToken, counts_between_its_times_with_a_little_leeway) {
  use(settings());
  EXPECT_EQ(refusal(token(), 1'700'000'064'999), "");
  EXPECT_EQ(refusal(token(), 1'700'000'065'000), "the token has expired");
  EXPECT_EQ(refusal(token(R"("nbf":1700000005)")), "");
  EXPECT_EQ(refusal(token(R"("nbf":1700000006)")), "the token is not valid yet");
  EXPECT_EQ(refusal(token(R"("nbf":"now")")), "the token is not valid yet");
  EXPECT_EQ(refusal(token(R"("exp":1700000060.9)")), "");
  for (const char* exp : {R"("1700000060")", "null", "-1", "1e300"}) {
    EXPECT_EQ(refusal(token(R"("exp":)" + std::string(exp))), "the token does not say when it expires")
        << exp;
  }
}

TEST_F(AccessToken, is_for_this_audience_and_of_this_issuer) {
  Oauth2Settings strict = settings();
  strict.issuer = "https://id.example";
  use(strict);
  EXPECT_EQ(refusal(token()), "");
  EXPECT_EQ(refusal(token(R"("aud":"rabbitmq")")), "");
  EXPECT_EQ(refusal(token(R"("aud":"other rabbitmq")")), "");
  for (const char* aud : {R"("rabbit")", R"(["a"])", "7", "null"})
    EXPECT_EQ(refusal(token(R"("aud":)" + std::string(aud))), "the token is meant for another audience")
        << aud;
  EXPECT_EQ(refusal(token(R"("iss":"https://evil.example")")), "the token is of another issuer");
  EXPECT_EQ(refusal(token(R"("iss":["https://id.example"])")), "the token is of another issuer");
  strict.verify_audience = false;
  use(strict);
  EXPECT_EQ(refusal(token(R"("aud":"other")")), "");
}

TEST_F(AccessToken, names_its_user_by_the_first_claim_that_does) {
  Oauth2Settings with = settings();
  with.username_claims = {"user_name", "email"};
  use(with);
  EXPECT_EQ(identity(token(R"("email":"a@b.c","user_name":"annie")")).user, "annie");
  EXPECT_EQ(identity(token(R"("email":"a@b.c","user_name":7)")).user, "a@b.c");
  EXPECT_EQ(identity(token()).user, "ann");
  EXPECT_EQ(identity(token(R"("sub":null,"client_id":"shop")")).user, "shop");
  EXPECT_EQ(identity(token(R"("sub":")" + std::string(256, 'x') + "\"")).user, "unknown");
}

TEST_F(AccessToken, has_its_scopes_in_several_forms_and_places) {
  Oauth2Settings with = settings();
  with.scopes.additional_keys = "roles realm.access permissions.scopes";
  use(with);
  const auto allows = [&](const std::string& more) {
    return identity(token(R"("scope":[],)" + more)).grants->allows("v", Access::read, "q");
  };
  EXPECT_FALSE(allows(R"("x":1)"));
  EXPECT_TRUE(allows(R"("scope":["rabbitmq.read:v/q"])"));
  EXPECT_TRUE(allows(R"("scope":"openid  rabbitmq.read:v/q")"));
  EXPECT_FALSE(allows(R"("scope":["rabbit.read:v/q"])"));
  EXPECT_TRUE(allows(R"("roles":["rabbitmq.read:v/q"])"));
  EXPECT_TRUE(allows(R"("realm":{"access":"a rabbitmq.read:v/q"})"));
  EXPECT_TRUE(allows(R"("permissions":[{"no":1},{"scopes":["rabbitmq.read:v/q"]}])"));
  EXPECT_TRUE(allows(R"("roles":{"rabbitmq":["read:v/q"],"other":[]})"));
  EXPECT_FALSE(allows(R"("roles":{"other":["read:v/q"]})"));
  with.scopes.prefix = "api://";
  use(with);
  EXPECT_TRUE(allows(R"("scope":"api://read:v/q")"));
}

TEST_F(AccessToken, has_no_more_scopes_than_are_sensible) {
  use(settings());
  std::string scopes;
  for (std::size_t i = 0; i < scopes_max; ++i) scopes += " rabbitmq.tag:" + std::to_string(i);
  EXPECT_EQ(refusal(token(R"("scope":")" + scopes + "\"")), "");
  EXPECT_EQ(refusal(token(R"("scope":")" + scopes + " rabbitmq.read:a/b\"")),
            "the token has too many scopes");
}

TEST_F(AccessToken, of_another_form_is_refused) {
  use(settings());
  EXPECT_EQ(refusal(""), "not a token");
  EXPECT_EQ(refusal("guest"), "not a token");
  EXPECT_EQ(refusal("a.b"), "not a token");
  EXPECT_EQ(refusal("a.b.c"), "the token's header is not in its form");
  EXPECT_EQ(refusal(token() + ".x"), "the token's signature is not in its form");
  EXPECT_EQ(refusal(token("", R"({"alg":"RS256","crit":["b64"],"b64":false})")),
            "the token asks for extensions");
  EXPECT_EQ(refusal(token("", R"({"alg":"RS256","kid":7})")), "the token's key id is not in its form");
  EXPECT_EQ(refusal(rsa().token(R"({"alg":"RS256"})", "[]")), "the token's claims are not in their form");
  EXPECT_EQ(refusal(rsa().token(R"({"alg":"RS256"})", "{} x")), "the token's claims are not in their form");
  const std::string deep = R"({"a":)" + std::string(40, '[') + std::string(40, ']') + "}";
  EXPECT_EQ(refusal(rsa().token(R"({"alg":"RS256"})", deep)), "the token's claims are not in their form");
  EXPECT_EQ(refusal(std::string(token_bytes_max + 1, 'a')), "the token is too long");
}

TEST_F(AccessToken, is_verified_by_new_keys_as_soon_as_they_are_there) {
  use(settings());
  const auto renewed = make_elliptic_signer("P-256");
  const std::string text = renewed->token(R"({"alg":"ES256"})", claims());
  EXPECT_NE(refusal(text), "");
  EXPECT_FALSE(oauth2->use_keys("{}").has_value());
  EXPECT_EQ(refusal(token()), "") << "the old keys stay";
  ASSERT_TRUE(oauth2->use_keys(key_set({renewed->key("new")})).has_value());
  EXPECT_EQ(refusal(text), "");
  EXPECT_NE(refusal(token()), "");
}

TEST(KeySets, are_refused_as_a_whole_where_a_key_is_none) {
  const auto why = [](const std::string& text) {
    const auto keys = KeySet::parse(text);
    return keys ? std::string() : keys.error().message;
  };
  EXPECT_EQ(why(key_set({rsa().key("a"), elliptic().key("b")})), "");
  EXPECT_EQ(why("nothing"), "not a JSON Web Key Set");
  EXPECT_EQ(why(R"({"keys":{}})"), "not a JSON Web Key Set");
  EXPECT_EQ(why(R"({"keys":[]})"), "there is no key for signatures in it");
  EXPECT_EQ(why(R"({"keys":[{"kty":"OKP"}]})"), "there is no key for signatures in it");
  EXPECT_EQ(why(R"({"keys":[{"kty":"RSA","kid":"k","n":"AQAB","e":"AQAB"}]})"),
            "key 'k': an RSA key has 2,048 to 8,192 bits");
  EXPECT_EQ(why(R"({"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]})"),
            "key '': coordinates of another length than the curve's");
  const std::string zeros(43, 'A');
  EXPECT_EQ(why(R"({"keys":[{"kty":"EC","crv":"P-256","x":")" + zeros + R"(","y":")" + zeros + "\"}]}"),
            "key '': not a point of the curve");
  EXPECT_EQ(why(R"({"keys":[{"kty":"oct","k":"c2hvcnQ"}]})"),
            "key '': a shared secret has at least 32 bytes");
}

TEST(Base64url, has_one_way_to_write_bytes) {
  EXPECT_TRUE(decode_base64url("").has_value());
  EXPECT_EQ(decode_base64url("-_8")->size(), 2U);
  for (const char* text : {"A", "AB", "AAB", "AA==", "A A", "+/8", "AAAA\n"})
    EXPECT_FALSE(decode_base64url(text).has_value()) << text;
}

}  // namespace
}  // namespace weir::auth
