// What it is: numbers as people read them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace weir::cli {

std::string grouped(std::uint64_t number);  // 100,000
std::string per_second(double rate);        // 12,345/s, 0.3/s
std::string bytes_text(double bytes);       // 1.5 GiB
std::string seconds_text(double seconds);   // 0.4 s, 12 s, 3 min 20 s, 2 h 5 min, 3 d 4 h
std::string seconds_or_dash(std::optional<double> seconds);

}  // namespace weir::cli
