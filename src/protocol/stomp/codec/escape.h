// What it is: how headers' names and values are escaped (1.2 and 1.1, "Value Encoding"): \n, \c, \\, and in 1.2 \r. Version 1.0
// and the frames CONNECT and CONNECTED know no escapes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/stomp/codec/version.h"

namespace weir::stomp {

inline bool has_escapes(std::string_view text) { return text.find('\\') != std::string_view::npos; }

// nullopt: a backslash with something else behind it. 1.1's clients may send \r as it is.
std::optional<std::string> unescape(std::string_view text, Version version);

// What 1.0 has no way to say, a line's end, becomes a space.
void append_escaped(std::string& out, std::string_view text, Version version);

}  // namespace weir::stomp
