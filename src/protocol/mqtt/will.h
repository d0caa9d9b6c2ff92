// What it is: a client's last will, as it is kept until it is published or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "node/identity.h"

namespace weir::mqtt {

struct KeptWill {
  std::string topic;
  std::vector<std::byte> stored;  // StoredMark and properties
  std::vector<std::byte> extras, payload;
  std::uint8_t qos = 0;
  bool retain = false;
  std::uint32_t delay_s = 0;
};

// One whose connection has ended: it is published when the delay is over, unless the client comes back before.
struct DelayedWill {
  std::string vhost, client_id;
  node::Identity identity;
  KeptWill will;
  std::uint64_t due_ms = 0;  // monotonic
};

}  // namespace weir::mqtt
