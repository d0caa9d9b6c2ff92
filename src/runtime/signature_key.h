// What it is: keys that tell whether a signature is right (OpenSSL 3): RSA, elliptic curves, and secrets that both sides
// have. A key takes the algorithms of its own kind alone, whatever the signed text claims.
// Shard: any, several at a time; a key does not change.
// Errors: invalid_argument: no key, or too weak a one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace weir::runtime {

// Of RFC 7518.
enum class SignatureAlgorithm : std::uint8_t {
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  es256,
  es384,
  hs256
};
// nullopt: none of them ("none" is none).
std::optional<SignatureAlgorithm> signature_algorithm(std::string_view name);

class SignatureKey {
 public:
  using Made = Result<std::unique_ptr<SignatureKey>>;
  enum class Curve : std::uint8_t { p256, p384 };

  // Unsigned, big-endian. 2,048 to 8,192 bits.
  static Made rsa(Bytes modulus, Bytes exponent);
  // The coordinates of a point, as long as the curve's.
  static Made elliptic(Curve curve, Bytes x, Bytes y);
  // At least 32 bytes.
  static Made secret(Bytes bytes);

  virtual ~SignatureKey() = default;
  virtual bool fits(SignatureAlgorithm algorithm) const = 0;
  // False too where the algorithm does not fit.
  virtual bool verifies(SignatureAlgorithm algorithm, Bytes text, Bytes signature) const = 0;
};

}  // namespace weir::runtime
