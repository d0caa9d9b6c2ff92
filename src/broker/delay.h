// What it is: how long a message is to wait, which its header x-delay says, in milliseconds.
#pragma once

#include <cstdint>
#include <string_view>

#include "broker/value.h"

namespace weir::broker {

inline constexpr std::string_view delay_header = "x-delay";
// Nothing waits for longer than ten years. (RabbitMQ's plugin knows 49 days, and lets more than that not wait at all.)
inline constexpr std::int64_t delay_ms_max = 3'650LL * 24 * 3'600 * 1'000;

// A whole number of any type, a number as text, or a fraction, whose whole part counts. 0 for anything else.
std::int64_t delay_number(const Value& value);
// 0: it does not wait.
std::uint64_t delay_ms(const Table& headers);

}  // namespace weir::broker
