#include "runtime/sha1.h"

#include <openssl/sha.h>

namespace weir::runtime {

std::array<std::byte, 20> sha1(Bytes bytes) {
  std::array<std::byte, 20> digest;
  static_assert(digest.size() == SHA_DIGEST_LENGTH);
  ::SHA1(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

}  // namespace weir::runtime
