// What it is: what a decoder answers when its input is complete: a value, or why the peer is at fault.
#pragma once

#include <expected>
#include <string_view>

#include "protocol/amqp091/codec/reply_code.h"

namespace weir::amqp091 {

// `text` is always a string literal, so an error never allocates and may be kept for ever.
struct WireError {
  ReplyCode code = ReplyCode::internal_error;
  std::string_view text{};
  bool operator==(const WireError&) const = default;
};

template <typename T>
using Decoded = std::expected<T, WireError>;

inline std::unexpected<WireError> refuse(ReplyCode code, std::string_view text) {
  return std::unexpected<WireError>(WireError{code, text});
}

}  // namespace weir::amqp091
