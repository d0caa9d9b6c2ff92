// What it is: how a connection is called in the log: "192.0.2.1:40000", and the name that the client gave it, if any.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "runtime/stream.h"

namespace weir {

inline std::string peer_name(const runtime::PeerInfo& peer, std::string_view connection_name) {
  if (connection_name.empty()) return fmt::format("{}:{}", peer.address, peer.port);
  return fmt::format("{}:{} ({})", peer.address, peer.port, connection_name);
}

}  // namespace weir
