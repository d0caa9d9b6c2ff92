// What it is: amounts of bytes as people write them: "64MiB", "1 GB", "4096".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::app {

// KiB, MiB, GiB, TiB are powers of 1024; kB, MB, GB, TB of 1000. Nothing if it is not such a text or does not fit.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

// "64 MiB" where the amount is a whole number of a power of 1024, else the plain number.
std::string show_bytes(std::uint64_t bytes);

}  // namespace weir::app
