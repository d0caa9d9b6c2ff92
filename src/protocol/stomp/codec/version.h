// What it is: the versions of STOMP, and how a client and a server agree on one (1.1 and 1.2, "Protocol Negotiation").
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::stomp {

enum class Version : std::uint8_t { v1_0, v1_1, v1_2 };

inline constexpr std::string_view supported_versions = "1.0,1.1,1.2";

constexpr std::string_view to_string(Version version) {
  constexpr std::string_view names[] = {"1.0", "1.1", "1.2"};
  return names[static_cast<std::size_t>(version)];
}

// The highest of a list "1.0,1.1"; nullopt: none of them is known. An empty list is that of a client of 1.0.
constexpr std::optional<Version> highest_version(std::string_view accepted) {
  if (accepted.empty()) return Version::v1_0;
  std::optional<Version> best;
  while (!accepted.empty()) {
    const std::size_t end = accepted.find(',');
    std::string_view one = accepted.substr(0, end);
    accepted = end == std::string_view::npos ? std::string_view() : accepted.substr(end + 1);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    for (const Version version : {Version::v1_0, Version::v1_1, Version::v1_2}) {
      if (one == to_string(version) && (!best || *best < version)) best = version;
    }
  }
  return best;
}

}  // namespace weir::stomp
