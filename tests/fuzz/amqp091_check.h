// What it is: the check of the fuzz targets: always on, it aborts, so that the fuzzer sees a broken property
// as a crash.
#pragma once

#include <algorithm>

#include "base/assert.h"
#include "base/bytes.h"

namespace weir::amqp091 {

inline bool same_bytes(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

}  // namespace weir::amqp091
