// What it is: what a decoder answers: a value, or why the peer is at fault.
#pragma once

#include <expected>
#include <string_view>

#include "protocol/mqtt/codec/reason_code.h"

namespace weir::mqtt {

// `text` is always a string literal, so an error never allocates and may be kept for ever.
struct WireError {
  ReasonCode code = ReasonCode::unspecified_error;
  std::string_view text{};
  bool operator==(const WireError&) const = default;
};

template <typename T>
using Decoded = std::expected<T, WireError>;

inline std::unexpected<WireError> refuse(ReasonCode code, std::string_view text) {
  return std::unexpected<WireError>(WireError{code, text});
}
inline std::unexpected<WireError> malformed(std::string_view text) {
  return refuse(ReasonCode::malformed_packet, text);
}
inline std::unexpected<WireError> protocol_error(std::string_view text) {
  return refuse(ReasonCode::protocol_error, text);
}

}  // namespace weir::mqtt
