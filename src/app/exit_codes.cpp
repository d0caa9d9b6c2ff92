#include "app/exit_codes.h"

namespace weir::app {

int exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::config:
    case ErrorCode::invalid_argument: return exit_code::config;
    case ErrorCode::locked: return exit_code::locked;
    case ErrorCode::corrupt: return exit_code::corrupt;
    case ErrorCode::io_error:
    case ErrorCode::no_space: return exit_code::io_error;
    case ErrorCode::unsupported:
    case ErrorCode::not_implemented: return exit_code::unavailable;
    case ErrorCode::not_found:
    case ErrorCode::already_exists:
    case ErrorCode::inequivalent:
    case ErrorCode::access_refused:
    case ErrorCode::resource_locked:
    case ErrorCode::precondition_failed:
    case ErrorCode::not_allowed:
    case ErrorCode::limit_exceeded:
    case ErrorCode::overloaded:
    case ErrorCode::closed:
    case ErrorCode::timed_out:
    case ErrorCode::cancelled: return exit_code::failed;
  }
  return exit_code::failed;
}

}  // namespace weir::app
