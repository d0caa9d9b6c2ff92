// What it is: password hashes: made with Argon2id (RFC 9106), and RabbitMQ's salted SHA-256 and SHA-512 accepted, so that
// users can be taken over from its definitions files.
//   "$argon2id$v=19$…"             libsodium's string form
//   "rabbit_sha256:<base64>"       4 bytes of salt, then SHA-256(salt + password)
//   "rabbit_sha512:<base64>"
// Shard: any thread; hashing takes tens of milliseconds on purpose: call it on a worker.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::node {

Result<std::string> hash_password(std::string_view password);
// Quick and salted, for passwords that are known to everybody (guest).
std::string hash_known_password(std::string_view password);
bool verify_password(std::string_view password, std::string_view hash);

}  // namespace weir::node
