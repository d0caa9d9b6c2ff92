#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace weir {

void assertion_failed(const char* expression, std::source_location where) {
  std::fprintf(stderr, "weir: assertion failed: %s\n  in %s\n  at %s:%u\n", expression, where.function_name(),
               where.file_name(), where.line());
  std::fflush(stderr);
  std::abort();
}

}  // namespace weir
