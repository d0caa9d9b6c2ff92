// What it is: base64url as tokens write it (RFC 7515): without padding. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace weir::auth {

// nullopt: not the one way to write these bytes.
std::optional<std::vector<std::byte>> decode_base64url(std::string_view text);

}  // namespace weir::auth
