#include "unit/auth/test_signer.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <vector>

#include "base/assert.h"

namespace weir::auth {

namespace {

std::string text_of(const std::vector<unsigned char>& bytes) { return {bytes.begin(), bytes.end()}; }

std::vector<unsigned char> bytes_of(const BIGNUM* number, int bytes) {
  std::vector<unsigned char> out(static_cast<std::size_t>(bytes));
  WEIR_ASSERT(::BN_bn2binpad(number, out.data(), bytes) == bytes);
  return out;
}

class KeySigner : public TestSigner {
 public:
  explicit KeySigner(EVP_PKEY* key) : key_(key) { WEIR_ASSERT(key != nullptr); }
  ~KeySigner() override { ::EVP_PKEY_free(key_); }

 protected:
  std::string number(const char* name, int bytes) const {
    BIGNUM* value = nullptr;
    WEIR_ASSERT(::EVP_PKEY_get_bn_param(key_, name, &value) == 1);
    const std::string text =
        base64url(as_bytes(text_of(bytes_of(value, bytes == 0 ? BN_num_bytes(value) : bytes))));
    ::BN_free(value);
    return text;
  }
  std::string sign_with(const char* digest, bool pss, std::string_view text) const {
    EVP_MD_CTX* const context = ::EVP_MD_CTX_new();
    EVP_PKEY_CTX* options = nullptr;
    WEIR_ASSERT(::EVP_DigestSignInit_ex(context, &options, digest, nullptr, nullptr, key_, nullptr) == 1);
    if (pss) {
      ::EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
      ::EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
    }
    const auto* const data = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t bytes = 0;
    WEIR_ASSERT(::EVP_DigestSign(context, nullptr, &bytes, data, text.size()) == 1);
    std::vector<unsigned char> signature(bytes);
    WEIR_ASSERT(::EVP_DigestSign(context, signature.data(), &bytes, data, text.size()) == 1);
    signature.resize(bytes);
    ::EVP_MD_CTX_free(context);
    return text_of(signature);
  }

 private:
  EVP_PKEY* key_;
};

class RsaSigner final : public KeySigner {
 public:
  RsaSigner() : KeySigner(::EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2'048})) {}

 private:
  std::string public_parts() const override {
    return R"("kty":"RSA","n":")" + number(OSSL_PKEY_PARAM_RSA_N, 0) + R"(","e":")" +
           number(OSSL_PKEY_PARAM_RSA_E, 0) + '"';
  }
  std::string sign(std::string_view algorithm, std::string_view text) const override {
    const std::string digest = "SHA" + std::string(algorithm.substr(2));
    return sign_with(digest.c_str(), algorithm.starts_with("PS"), text);
  }
};

class EllipticSigner final : public KeySigner {
 public:
  explicit EllipticSigner(std::string_view curve)
      : KeySigner(::EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", std::string(curve).c_str())),
        curve_(curve),
        bytes_(curve == "P-256" ? 32 : 48) {}

 private:
  std::string public_parts() const override {
    return R"("kty":"EC","crv":")" + curve_ + R"(","x":")" + number(OSSL_PKEY_PARAM_EC_PUB_X, bytes_) +
           R"(","y":")" + number(OSSL_PKEY_PARAM_EC_PUB_Y, bytes_) + '"';
  }
  std::string sign(std::string_view algorithm, std::string_view text) const override {
    const std::string der = sign_with(algorithm == "ES384" ? "SHA384" : "SHA256", false, text);
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* const pair = ::d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
    WEIR_ASSERT(pair != nullptr);
    const std::string raw = text_of(bytes_of(::ECDSA_SIG_get0_r(pair), bytes_)) +
                            text_of(bytes_of(::ECDSA_SIG_get0_s(pair), bytes_));
    ::ECDSA_SIG_free(pair);
    return raw;
  }

  std::string curve_;
  int bytes_;
};

class SecretSigner final : public TestSigner {
 public:
  explicit SecretSigner(std::string_view secret) : secret_(secret) {}

 private:
  std::string public_parts() const override {
    return R"("kty":"oct","k":")" + base64url(as_bytes(secret_)) + '"';
  }
  std::string sign(std::string_view, std::string_view text) const override {
    std::vector<unsigned char> code(EVP_MAX_MD_SIZE);
    unsigned bytes = 0;
    ::HMAC(::EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), code.data(), &bytes);
    code.resize(bytes);
    return text_of(code);
  }

  std::string secret_;
};

}  // namespace

std::string base64url(Bytes bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  unsigned kept = 0, bits = 0;
  for (const std::byte byte : bytes) {
    kept = kept << 8 | static_cast<unsigned>(byte);
    for (bits += 8; bits >= 6;) {
      bits -= 6;
      text += digits[kept >> bits & 63U];
    }
    kept &= (1U << bits) - 1;
  }
  if (bits > 0) text += digits[kept << (6 - bits) & 63U];
  return text;
}

std::string TestSigner::key(std::string_view id, std::string_view more) const {
  std::string text = "{" + public_parts();
  if (!id.empty()) text += R"(,"kid":")" + std::string(id) + '"';
  if (!more.empty()) text += ',' + std::string(more);
  return text + '}';
}

std::string TestSigner::token(std::string_view header, std::string_view claims) const {
  const std::string text = base64url(as_bytes(header)) + '.' + base64url(as_bytes(claims));
  const std::size_t at = header.find(R"("alg":")");
  const std::string_view algorithm = at == std::string_view::npos ? "RS256" : header.substr(at + 7, 5);
  return text + '.' + base64url(as_bytes(sign(algorithm, text)));
}

std::unique_ptr<TestSigner> make_rsa_signer() { return std::make_unique<RsaSigner>(); }
std::unique_ptr<TestSigner> make_elliptic_signer(std::string_view curve) {
  return std::make_unique<EllipticSigner>(curve);
}
std::unique_ptr<TestSigner> make_secret_signer(std::string_view secret) {
  return std::make_unique<SecretSigner>(secret);
}

std::string key_set(std::initializer_list<std::string> keys) {
  std::string text = R"({"keys":[)";
  for (const std::string& key : keys) text += (text.ends_with('[') ? "" : ",") + key;
  return text + "]}";
}

}  // namespace weir::auth
