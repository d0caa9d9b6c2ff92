// What it is: text that is UTF-8, whatever names and messages hold: JSON can't carry anything else.
#pragma once

#include <string>
#include <string_view>

namespace weir::admin {

bool is_utf8(std::string_view text);
// What is no UTF-8 becomes U+FFFD, a byte each. Text that is costs one look.
std::string make_utf8(std::string text);

}  // namespace weir::admin
