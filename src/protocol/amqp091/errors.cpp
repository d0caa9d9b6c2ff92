#include "protocol/amqp091/errors.h"

#include "base/assert.h"
#include "protocol/amqp091/codec/method.h"

namespace weir::amqp091 {

ReplyCode reply_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::not_found: return ReplyCode::not_found;
    case ErrorCode::access_refused: return ReplyCode::access_refused;
    case ErrorCode::resource_locked: return ReplyCode::resource_locked;
    case ErrorCode::already_exists:
    case ErrorCode::inequivalent:
    case ErrorCode::precondition_failed:
    case ErrorCode::invalid_argument:
    case ErrorCode::limit_exceeded: return ReplyCode::precondition_failed;
    case ErrorCode::not_allowed: return ReplyCode::not_allowed;
    case ErrorCode::overloaded:
    case ErrorCode::no_space: return ReplyCode::resource_error;
    case ErrorCode::not_implemented: return ReplyCode::not_implemented;
    case ErrorCode::io_error:
    case ErrorCode::corrupt:
    case ErrorCode::locked:
    case ErrorCode::closed:
    case ErrorCode::timed_out:
    case ErrorCode::cancelled:
    case ErrorCode::unsupported:
    case ErrorCode::config: return ReplyCode::internal_error;
  }
  WEIR_UNREACHABLE();
}

std::string_view cut_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  constexpr unsigned continuation = 0x80;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == continuation) --end;
  return text.substr(0, end);
}

std::string full_reply_text(ReplyCode code, std::string_view text) {
  std::string full(reply_text(code));
  full += " - ";
  full += text;
  full.resize(cut_text(full, short_string_bytes_max).size());
  return full;
}

}  // namespace weir::amqp091
