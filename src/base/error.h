// What it is: how a failure that production can bring is told: Result<T> = a value or an Error.
// Protocol front-ends turn an ErrorCode into their own codes in their errors.cpp (exhaustive switch).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace weir {

// The reasons that cross a folder's border. A protocol's own syntax errors stay in its folder.
enum class ErrorCode : std::uint8_t {
  // asked for by a client, refused by the broker
  not_found,            // no such vhost, exchange, queue, consumer, user
  already_exists,       // a name is taken in a way that a redeclaration can't satisfy
  inequivalent,         // redeclared with other properties
  access_refused,       // permissions, credentials, reserved names
  resource_locked,      // exclusive to another connection
  precondition_failed,  // in use, not empty, unknown argument value
  not_allowed,          // the operation is never allowed here
  invalid_argument,     // a value outside of its domain
  limit_exceeded,       // a named limit (base/limits.h or the settings) was reached
  overloaded,           // memory or disk watermark: try again later
  not_implemented,
  // of the machine
  io_error,
  no_space,
  corrupt,  // a checksum or a structure on disk does not hold
  locked,   // another server holds the data directory
  closed,   // the peer or we closed the stream
  timed_out,
  cancelled,
  unsupported,  // the kernel or file system lacks it: fall back
  config,       // bad configuration: the process can't start
};

std::string_view to_string(ErrorCode code);

struct [[nodiscard]] Error {
  ErrorCode code;
  std::string message;  // for people; one line, no trailing full stop
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected<Error>(Error{code, std::move(message)});
}

// errno as an Error: ENOSPC and EDQUOT are no_space, all else io_error. `what` says what was tried.
Error errno_error(int saved_errno, std::string_view what);
inline std::unexpected<Error> fail_errno(int saved_errno, std::string_view what) {
  return std::unexpected<Error>(errno_error(saved_errno, what));
}

}  // namespace weir

// Returns the error of a Status or Result from the enclosing function.
#define WEIR_TRY(expression)                                               \
  do {                                                                     \
    if (auto weir_try_ = (expression); !weir_try_) [[unlikely]]            \
      return std::unexpected<::weir::Error>(std::move(weir_try_).error()); \
  } while (0)
