#include "base/error.h"

#include <cerrno>
#include <system_error>

namespace weir {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::not_found: return "not found";
    case ErrorCode::already_exists: return "already exists";
    case ErrorCode::inequivalent: return "inequivalent";
    case ErrorCode::access_refused: return "access refused";
    case ErrorCode::resource_locked: return "resource locked";
    case ErrorCode::precondition_failed: return "precondition failed";
    case ErrorCode::not_allowed: return "not allowed";
    case ErrorCode::invalid_argument: return "invalid argument";
    case ErrorCode::limit_exceeded: return "limit exceeded";
    case ErrorCode::overloaded: return "overloaded";
    case ErrorCode::not_implemented: return "not implemented";
    case ErrorCode::io_error: return "I/O error";
    case ErrorCode::no_space: return "no space";
    case ErrorCode::corrupt: return "corrupt";
    case ErrorCode::locked: return "locked";
    case ErrorCode::closed: return "closed";
    case ErrorCode::timed_out: return "timed out";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::config: return "configuration";
  }
  return "unknown";
}

Error errno_error(int saved_errno, std::string_view what) {
  const ErrorCode code =
      saved_errno == ENOSPC || saved_errno == EDQUOT ? ErrorCode::no_space : ErrorCode::io_error;
  return Error{code, std::string(what) + ": " + std::generic_category().message(saved_errno)};
}

}  // namespace weir
