// What it is: from the broker's reasons to AMQP's reply codes. What dies with an error follows from the code alone:
// scope_of() in codec/reply_code.h.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "protocol/amqp091/codec/reply_code.h"

namespace weir::amqp091 {

ReplyCode reply_code_of(ErrorCode code);

// "NOT_FOUND - no queue 'q' in vhost '/'", cut to a short string's 255 bytes between two characters.
std::string full_reply_text(ReplyCode code, std::string_view text);

// The longest prefix of at most `bytes_max` bytes that does not end inside of a character.
std::string_view cut_text(std::string_view text, std::size_t bytes_max);

}  // namespace weir::amqp091
