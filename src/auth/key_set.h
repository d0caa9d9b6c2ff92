// What it is: the keys of whoever gives tokens out, from a JSON Web Key Set (RFC 7517), and the one that a token is
// verified with.
// Shard: any; it does not change once it is made.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/token.h"
#include "base/error.h"
#include "runtime/signature_key.h"

namespace weir::auth {

inline constexpr std::size_t key_set_bytes_max = 1U << 20;
inline constexpr std::size_t keys_max = 256;

class KeySet {
 public:
  // What is not for signatures, or of a kind that is not known here, is left out. config: it is no key set, a key in it
  // is none, or there is none.
  static Result<KeySet> parse(std::string_view text);

  // access_refused: the signature is not right, or there is no one key that it could be right by.
  Status verify(const Token& token, runtime::SignatureAlgorithm algorithm) const;
  std::size_t size() const { return keys_.size(); }

 private:
  struct Key {
    std::string id;
    std::optional<runtime::SignatureAlgorithm> algorithm;  // the only one, where it is named
    std::unique_ptr<runtime::SignatureKey> key;
  };
  std::vector<Key> keys_;
};

}  // namespace weir::auth
