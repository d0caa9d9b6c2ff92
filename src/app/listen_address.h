// What it is: the addresses that listeners take: "host:port", "[v6]:port", ":port", or a port alone.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::app {

// As runtime::Loop::listen takes it; a port alone means all IPv4 addresses. "" stays "". invalid_argument.
Result<std::string> parse_listen_address(std::string_view text);

}  // namespace weir::app
