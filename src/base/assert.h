// What it is: the assertion for bugs in our own code. Always on, in every build; it aborts.
// What can happen in production (bad input, a full disk) is a Result, never an assertion: see error.h.
#pragma once

#include <source_location>

namespace weir {

[[noreturn]] void assertion_failed(const char* expression,
                                   std::source_location where = std::source_location::current());

}  // namespace weir

#define WEIR_ASSERT(expression) \
  (static_cast<bool>(expression) ? static_cast<void>(0) : ::weir::assertion_failed(#expression))

#define WEIR_UNREACHABLE() ::weir::assertion_failed("unreachable")
