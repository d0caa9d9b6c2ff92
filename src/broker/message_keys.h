// What it is: what a queue wants to know of a message's headers, by its arguments: the group or key that it is of, the id
// by which it is recognised.
#pragma once

#include <string_view>

#include "broker/message_extras.h"
#include "broker/value.h"

namespace weir::broker {

// Each names a header; a queue has at most one of them.
inline constexpr std::string_view groups_argument = "x-message-groups";
inline constexpr std::string_view last_value_argument = "x-last-value-key";
inline constexpr std::string_view fair_argument = "x-fair-by";

inline constexpr std::string_view dedup_argument = "x-message-deduplication";
inline constexpr std::string_view dedup_header_argument = "x-deduplication-header";
// Unless that argument names another one.
inline constexpr std::string_view dedup_header = "x-deduplication-header";

// Does a queue with these arguments need a message of its own, with add_keys()?
bool wants_keys(const Table& arguments);
void add_keys(const Table& arguments, const Table& headers, MessageExtras& extras);

}  // namespace weir::broker
