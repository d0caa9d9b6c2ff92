// What it is: what the two sides tell of themselves: the server's properties, and what of a client's we act on.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/amqp091/codec/method.h"

namespace weir::amqp091 {

// The content of the field table of connection.start.
std::vector<std::byte> encode_server_properties(std::string_view node_name);

struct ClientProperties {
  std::string product;
  std::string version;
  std::string platform;
  std::string connection_name;
  // Capabilities: what the client wants to be told.
  bool authentication_failure_close = false;
  bool consumer_cancel_notify = false;
  bool connection_blocked = false;
};

ClientProperties read_client_properties(TableBytes properties);

}  // namespace weir::amqp091
