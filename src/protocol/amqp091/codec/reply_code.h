// What it is: the reply codes of AMQP 0-9-1 (spec 1.2) and what each of them closes.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::amqp091 {

enum class ReplyCode : std::uint16_t {
  reply_success = 200,
  content_too_large = 311,
  no_route = 312,
  no_consumers = 313,
  connection_forced = 320,
  invalid_path = 402,
  access_refused = 403,
  not_found = 404,
  resource_locked = 405,
  precondition_failed = 406,
  frame_error = 501,
  syntax_error = 502,
  command_invalid = 503,
  channel_error = 504,
  unexpected_frame = 505,
  resource_error = 506,
  not_allowed = 530,
  not_implemented = 540,
  internal_error = 541,
};

// What dies with an error: the spec's "soft" errors close the channel, its "hard" ones the connection.
enum class ErrorScope : std::uint8_t { none, channel, connection };

ErrorScope scope_of(ReplyCode code);

// "NOT_FOUND" and so on, as clients expect a reply-text to begin ("NOT_FOUND - no queue 'q' in vhost '/'").
std::string_view reply_text(ReplyCode code);

// The same for a number from the wire; "UNKNOWN" when it is none of the above.
std::string_view reply_text(std::uint16_t code);

constexpr std::uint16_t number_of(ReplyCode code) { return static_cast<std::uint16_t>(code); }

}  // namespace weir::amqp091
