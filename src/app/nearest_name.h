// What it is: which of the known names somebody probably meant.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace weir::app {

// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other.
std::size_t edit_distance(std::string_view from, std::string_view to);

// The nearest candidate, or an empty view if none is near (more than a third of the name would have to change).
// A candidate whose last part (after the last '.') is the name itself counts as near: "heartbeat_s".
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace weir::app
