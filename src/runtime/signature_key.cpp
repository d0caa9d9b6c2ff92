#include "runtime/signature_key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <vector>

#include "base/assert.h"

namespace weir::runtime {

namespace {

constexpr int rsa_bits_min = 2'048, rsa_bits_max = 8'192;
constexpr std::size_t rsa_exponent_bytes_max = 8;
constexpr std::size_t secret_bytes_min = 32;

template <auto free>
struct Freed {
  void operator()(auto* what) const { free(what); }
};
using Number = std::unique_ptr<BIGNUM, Freed<::BN_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<::EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<::EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<::EVP_MD_CTX_free>>;
using Digest = std::unique_ptr<EVP_MD, Freed<::EVP_MD_free>>;
using ParamBuild = std::unique_ptr<OSSL_PARAM_BLD, Freed<::OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freed<::OSSL_PARAM_free>>;
using PointPair = std::unique_ptr<ECDSA_SIG, Freed<::ECDSA_SIG_free>>;

struct Name {
  std::string_view text;
  SignatureAlgorithm algorithm;
};
constexpr Name names[] = {
    {"RS256", SignatureAlgorithm::rs256}, {"RS384", SignatureAlgorithm::rs384},
    {"RS512", SignatureAlgorithm::rs512}, {"PS256", SignatureAlgorithm::ps256},
    {"PS384", SignatureAlgorithm::ps384}, {"PS512", SignatureAlgorithm::ps512},
    {"ES256", SignatureAlgorithm::es256}, {"ES384", SignatureAlgorithm::es384},
    {"HS256", SignatureAlgorithm::hs256},
};

// Fetched once: to find one by name takes longer than to use it.
const EVP_MD* digest_of(SignatureAlgorithm algorithm) {
  static const Digest sha256(::EVP_MD_fetch(nullptr, "SHA256", nullptr));
  static const Digest sha384(::EVP_MD_fetch(nullptr, "SHA384", nullptr));
  static const Digest sha512(::EVP_MD_fetch(nullptr, "SHA512", nullptr));
  switch (algorithm) {
    case SignatureAlgorithm::rs256:
    case SignatureAlgorithm::ps256:
    case SignatureAlgorithm::es256:
    case SignatureAlgorithm::hs256: return sha256.get();
    case SignatureAlgorithm::rs384:
    case SignatureAlgorithm::ps384:
    case SignatureAlgorithm::es384: return sha384.get();
    case SignatureAlgorithm::rs512:
    case SignatureAlgorithm::ps512: return sha512.get();
  }
  WEIR_UNREACHABLE();
}

const unsigned char* data_of(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

Number number_of(Bytes bytes) {
  return Number(::BN_bin2bn(data_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

// Null: OpenSSL does not take it for a key.
Key build_key(const char* type, OSSL_PARAM_BLD* parts) {
  const Params params(::OSSL_PARAM_BLD_to_param(parts));
  const KeyContext making(::EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (params == nullptr || making == nullptr || ::EVP_PKEY_fromdata_init(making.get()) != 1 ||
      ::EVP_PKEY_fromdata(making.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  Key key(made);
  const KeyContext checking(::EVP_PKEY_CTX_new_from_pkey(nullptr, made, nullptr));
  if (checking == nullptr || ::EVP_PKEY_public_check(checking.get()) != 1) return nullptr;
  return key;
}

bool verify(EVP_PKEY* key, SignatureAlgorithm algorithm, bool pss, Bytes text, Bytes signature) {
  const DigestContext context(::EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // the context's
  const bool right =
      ::EVP_DigestVerifyInit(context.get(), &options, digest_of(algorithm), nullptr, key) == 1 &&
      (!pss || (::EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
                ::EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1)) &&
      ::EVP_DigestVerify(context.get(), data_of(signature), signature.size(), data_of(text), text.size()) ==
          1;
  if (!right) ::ERR_clear_error();
  return right;
}

class RsaKey final : public SignatureKey {
 public:
  explicit RsaKey(Key key) : key_(std::move(key)) {}
  bool fits(SignatureAlgorithm algorithm) const override { return algorithm <= SignatureAlgorithm::ps512; }
  bool verifies(SignatureAlgorithm algorithm, Bytes text, Bytes signature) const override {
    const bool pss = algorithm >= SignatureAlgorithm::ps256;
    return fits(algorithm) && verify(key_.get(), algorithm, pss, text, signature);
  }

 private:
  Key key_;
};

class EllipticKey final : public SignatureKey {
 public:
  EllipticKey(Key key, Curve curve) : key_(std::move(key)), curve_(curve) {}
  bool fits(SignatureAlgorithm algorithm) const override {
    return algorithm == (curve_ == Curve::p256 ? SignatureAlgorithm::es256 : SignatureAlgorithm::es384);
  }
  // The signature is two numbers, each as long as the curve's; OpenSSL wants them in DER.
  bool verifies(SignatureAlgorithm algorithm, Bytes text, Bytes signature) const override {
    const std::size_t half = coordinate_bytes(curve_);
    if (!fits(algorithm) || signature.size() != 2 * half) return false;
    const PointPair pair(::ECDSA_SIG_new());
    Number r = number_of(signature.first(half)), s = number_of(signature.subspan(half));
    if (::ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return false;
    (void)r.release();  // the pair's
    (void)s.release();
    unsigned char* der = nullptr;
    const int bytes = ::i2d_ECDSA_SIG(pair.get(), &der);
    if (bytes <= 0) return false;
    const bool right = verify(key_.get(), algorithm, false, text,
                              {reinterpret_cast<const std::byte*>(der), static_cast<std::size_t>(bytes)});
    ::OPENSSL_free(der);
    return right;
  }
  static std::size_t coordinate_bytes(Curve curve) { return curve == Curve::p256 ? 32 : 48; }

 private:
  Key key_;
  Curve curve_;
};

class SecretKey final : public SignatureKey {
 public:
  explicit SecretKey(Bytes bytes) : bytes_(bytes.begin(), bytes.end()) {}
  bool fits(SignatureAlgorithm algorithm) const override { return algorithm == SignatureAlgorithm::hs256; }
  bool verifies(SignatureAlgorithm algorithm, Bytes text, Bytes signature) const override {
    if (!fits(algorithm)) return false;
    unsigned char right[EVP_MAX_MD_SIZE];
    unsigned bytes = 0;
    if (::HMAC(digest_of(algorithm), bytes_.data(), static_cast<int>(bytes_.size()), data_of(text),
               text.size(), right, &bytes) == nullptr) {
      return false;
    }
    return signature.size() == bytes && ::CRYPTO_memcmp(right, signature.data(), bytes) == 0;
  }

 private:
  std::vector<std::byte> bytes_;
};

std::unexpected<Error> no_key(const char* why) {
  ::ERR_clear_error();
  return fail(ErrorCode::invalid_argument, why);
}

}  // namespace

std::optional<SignatureAlgorithm> signature_algorithm(std::string_view name) {
  for (const Name& known : names) {
    if (known.text == name) return known.algorithm;
  }
  return std::nullopt;
}

SignatureKey::Made SignatureKey::rsa(Bytes modulus, Bytes exponent) {
  if (modulus.size() > rsa_bits_max / 8 + 1 || exponent.empty() || exponent.size() > rsa_exponent_bytes_max)
    return no_key("an RSA key of a size that is not taken");
  const Number n = number_of(modulus), e = number_of(exponent);
  if (::BN_num_bits(n.get()) < rsa_bits_min || ::BN_num_bits(n.get()) > rsa_bits_max)
    return no_key("an RSA key has 2,048 to 8,192 bits");
  const ParamBuild parts(::OSSL_PARAM_BLD_new());
  ::OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  ::OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  Key key = build_key("RSA", parts.get());
  if (key == nullptr) return no_key("not an RSA key");
  return std::make_unique<RsaKey>(std::move(key));
}

SignatureKey::Made SignatureKey::elliptic(Curve curve, Bytes x, Bytes y) {
  const std::size_t bytes = EllipticKey::coordinate_bytes(curve);
  if (x.size() != bytes || y.size() != bytes) return no_key("coordinates of another length than the curve's");
  std::vector<std::byte> point{std::byte{4}};  // uncompressed
  point.insert(point.end(), x.begin(), x.end());
  point.insert(point.end(), y.begin(), y.end());
  const ParamBuild parts(::OSSL_PARAM_BLD_new());
  ::OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                    curve == Curve::p256 ? "P-256" : "P-384", 0);
  ::OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  Key key = build_key("EC", parts.get());
  if (key == nullptr) return no_key("not a point of the curve");
  return std::make_unique<EllipticKey>(std::move(key), curve);
}

SignatureKey::Made SignatureKey::secret(Bytes bytes) {
  if (bytes.size() < secret_bytes_min) return no_key("a shared secret has at least 32 bytes");
  return std::make_unique<SecretKey>(bytes);
}

}  // namespace weir::runtime
