#include "node/password.h"

#include <sodium.h>

#include <array>
#include <cstring>
#include <vector>

namespace weir::node {
namespace {

constexpr std::string_view sha256_prefix = "rabbit_sha256:";
constexpr std::string_view sha512_prefix = "rabbit_sha512:";
constexpr std::size_t salt_bytes = 4;
// OWASP's second recommendation: 19 MiB, 2 passes.
constexpr unsigned long long argon_passes = 2;
constexpr std::size_t argon_memory_bytes = 19U << 20;

bool ready() {
  static const bool initialised = sodium_init() >= 0;
  return initialised;
}

const unsigned char* unsigned_bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string digest(std::string_view prefix, std::string_view salt, std::string_view password) {
  const std::string salted = std::string(salt) + std::string(password);
  std::array<unsigned char, crypto_hash_sha512_BYTES> out{};
  const bool wide = prefix == sha512_prefix;
  if (wide) {
    crypto_hash_sha512(out.data(), unsigned_bytes(salted), salted.size());
  } else {
    crypto_hash_sha256(out.data(), unsigned_bytes(salted), salted.size());
  }
  return {reinterpret_cast<const char*>(out.data()),
          wide ? std::size_t{crypto_hash_sha512_BYTES} : std::size_t{crypto_hash_sha256_BYTES}};
}

bool verify_salted(std::string_view prefix, std::string_view password, std::string_view encoded) {
  if (encoded.empty()) return false;
  std::vector<unsigned char> raw(encoded.size());
  std::size_t raw_bytes = 0;
  if (sodium_base642bin(raw.data(), raw.size(), encoded.data(), encoded.size(), nullptr, &raw_bytes, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) != 0 ||
      raw_bytes <= salt_bytes) {
    return false;
  }
  const std::string_view stored(reinterpret_cast<const char*>(raw.data()), raw_bytes);
  const std::string expected = digest(prefix, stored.substr(0, salt_bytes), password);
  return expected.size() == raw_bytes - salt_bytes &&
         sodium_memcmp(expected.data(), stored.data() + salt_bytes, expected.size()) == 0;
}

}  // namespace

Result<std::string> hash_password(std::string_view password) {
  char out[crypto_pwhash_STRBYTES];
  if (!ready() ||
      crypto_pwhash_str(out, password.data(), password.size(), argon_passes, argon_memory_bytes) != 0) {
    return fail(ErrorCode::limit_exceeded, "not enough memory to hash a password");
  }
  return std::string(out);
}

std::string hash_known_password(std::string_view password) {
  ready();
  std::string salt(salt_bytes, '\0');
  randombytes_buf(salt.data(), salt.size());
  const std::string raw = salt + digest(sha256_prefix, salt, password);
  std::string encoded(sodium_base64_ENCODED_LEN(raw.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(encoded.data(), encoded.size(), unsigned_bytes(raw), raw.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  encoded.resize(std::strlen(encoded.c_str()));
  return std::string(sha256_prefix) + encoded;
}

bool verify_password(std::string_view password, std::string_view hash) {
  if (!ready()) return false;
  if (hash.starts_with(sha256_prefix)) {
    return verify_salted(sha256_prefix, password, hash.substr(sha256_prefix.size()));
  }
  if (hash.starts_with(sha512_prefix)) {
    return verify_salted(sha512_prefix, password, hash.substr(sha512_prefix.size()));
  }
  if (!hash.starts_with("$argon2id$") || hash.size() >= crypto_pwhash_STRBYTES) return false;
  const std::string terminated(hash);
  return crypto_pwhash_str_verify(terminated.c_str(), password.data(), password.size()) == 0;
}

}  // namespace weir::node
