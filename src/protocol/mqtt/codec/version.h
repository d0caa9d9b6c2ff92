// What it is: the versions of MQTT, by the protocol level of their CONNECT.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::mqtt {

enum class Version : std::uint8_t { v3_1 = 3, v3_1_1 = 4, v5 = 5 };

constexpr std::string_view to_string(Version version) {
  switch (version) {
    case Version::v3_1: return "3.1";
    case Version::v3_1_1: return "3.1.1";
    case Version::v5: return "5.0";
  }
  return "unknown";
}

}  // namespace weir::mqtt
