// What it is: the headers of a message as they are kept with it (NativeForm::stomp): the lines that its sender wrote, but for
// those that were for the broker, escaped as in STOMP 1.2, each with a "\n". A receiver of 1.2 gets them byte for byte.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/stomp/codec/headers.h"
#include "protocol/stomp/codec/version.h"

namespace weir::stomp {

// What is for the broker only.
bool is_for_broker(std::string_view name);

// Of a name that comes twice both lines.
void append_stored(std::string& out, const Headers& headers);
void append_stored(std::string& out, std::string_view name, std::string_view value);

// Name and value, unescaped. What is not in the form is left out.
void for_each_stored(std::string_view stored,
                     const std::function<void(std::string_view name, std::string_view value)>& each);
// Of the first line of that name.
std::optional<std::string> find_stored(std::string_view stored, std::string_view name);

// As a frame has them.
void append_lines(std::string& out, std::string_view stored, Version version);
// "name:value\n"
void append_header(std::string& out, std::string_view name, std::string_view value, Version version);

}  // namespace weir::stomp
