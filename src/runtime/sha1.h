// What it is: SHA-1, for protocols that demand it to mark something; it protects nothing (OpenSSL 3).
// Shard: any.
#pragma once

#include <array>
#include <cstddef>

#include "base/bytes.h"

namespace weir::runtime {

std::array<std::byte, 20> sha1(Bytes bytes);

}  // namespace weir::runtime
