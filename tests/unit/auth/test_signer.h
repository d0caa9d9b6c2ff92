// What it is: whoever gives tokens out, for tests: a key, its entry in a key set, and tokens that it signs.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace weir::auth {

std::string base64url(Bytes bytes);

class TestSigner {
 public:
  virtual ~TestSigner() = default;
  // A JSON object, without "kid" if `id` is empty; `more` goes in as it is: `"use":"sig"`.
  std::string key(std::string_view id, std::string_view more = {}) const;
  std::string token(std::string_view header, std::string_view claims) const;

 private:
  virtual std::string public_parts() const = 0;  // of the JSON object
  virtual std::string sign(std::string_view algorithm, std::string_view text) const = 0;
};

std::unique_ptr<TestSigner> make_rsa_signer();
std::unique_ptr<TestSigner> make_elliptic_signer(std::string_view curve);  // "P-256", "P-384"
std::unique_ptr<TestSigner> make_secret_signer(std::string_view secret);

std::string key_set(std::initializer_list<std::string> keys);

}  // namespace weir::auth
